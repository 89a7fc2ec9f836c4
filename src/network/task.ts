/**
 * What a network is asked for: a class for each input, the next token at each position, or numbers. Told by the shape
 * of its output, and by the data where that leaves it open.
 */
import { BrodmannError } from "../errors.ts";
import type { Network } from "./network.ts";
import type { LabelledInputs } from "./outcomes.ts";

export type TaskName = "classification" | "next-token" | "regression";

/** A task with its sizes. */
export interface Task {
  readonly name: TaskName;
  /** Answers that the network gives for one input: one for each token, else one. */
  readonly answers: number;
  /** Numbers of one answer: logits of the classes (tokens of the vocabulary), or predicted values. */
  readonly width: number;
}

/**
 * The task of a network: logits [N, classes] are a classifier's, [N, tokens, vocabulary] a language model's, and a
 * single number an input is a regression's, as is whatever `withTask` has found to be one.
 * Throws `E_NETWORK_OUTPUT` for outputs of other shapes.
 */
export function taskOf(network: Network): Task {
  const probed = network.probe.values.get(network.logits);
  const { rowsPerInput = 1, rowsBefore = 1 } = probed ?? {};
  // Tokens that are folded into the batch's axis are the first axis of one input.
  const folded = rowsPerInput > 1 ? [rowsPerInput] : [];
  const shape = [...folded, ...(probed?.shape.slice(1) ?? [])];
  const [first = 1, second = 1, ...others] = shape;
  const isFlat = second === 1 && others.every((size) => size === 1);
  const isClear = rowsPerInput === 1 || rowsBefore === 1;
  if (isClear && isFlat && (network.isRegression || first === 1))
    return { name: "regression", answers: 1, width: first };
  if (isClear && isFlat && shape.length >= 1) return { name: "classification", answers: 1, width: first };
  if (isClear && shape.length === 2 && !network.isRegression)
    return { name: "next-token", answers: first, width: second };
  throw new BrodmannError(
    "E_NETWORK_OUTPUT",
    `${network.name}: output "${network.logits}" has shape [N, ${shape.join(", ")}], expected [N, classes], [N, tokens, vocabulary] or [N, numbers]`,
    {
      hint: "Export the network with one logit per class, one per token of the vocabulary, or its predictions.",
    },
  );
}

/**
 * The network with the task that its data set. Class numbers ask for classes (or for the tokens that come next, where
 * the network has logits for each position), other numbers for a regression.
 * Throws `E_INPUT_LABELS` where the data do not fit the output.
 */
export function withTask(network: Network, data: LabelledInputs): Network {
  const { labels, targets = null, count } = data;
  const { name, answers, width } = taskOf({ ...network, isRegression: false });
  const given = (labels.length || (targets?.length ?? 0)) / count;
  // Integers are class numbers: to read them as a regression's values would hide a classifier of a single logit.
  const isNumbers = targets !== null && (name === "regression" || labels.length === 0);
  if (isNumbers && given === width && answers === 1 && !isOneHot(targets, width)) {
    return { ...network, isRegression: true };
  }
  if (labels.length > 0 && given === answers && name !== "regression") return network;
  const expected = {
    classification: `one class number from 0 to ${width - 1} for each, or ${width} numbers of a regression`,
    "next-token": `${answers} token numbers from 0 to ${width - 1} for each`,
    regression: "one number of a regression for each, stored as a float, or at least two logits",
  };
  const kind = labels.length > 0 ? "class numbers" : "numbers that are no class numbers";
  throw new BrodmannError(
    "E_INPUT_LABELS",
    `labels: found ${given} ${kind} for each input, expected ${expected[name]} (the network's output)`,
    {
      hint: "Store classes and tokens as whole numbers (one-hot rows with argmax(axis=1)), values of a regression as floats.",
    },
  );
}

/** Whether rows have a single 1 among zeros: classes written in another way. */
function isOneHot(targets: Float32Array, width: number): boolean {
  if (width === 1) return false;
  const isMark = targets.every((value) => value === 0 || value === 1);
  return (
    isMark &&
    Array.from({ length: targets.length / width }, (_, row) =>
      targets.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0),
    ).every((sum) => sum === 1)
  );
}

/** Numbers that the network gives for one input. */
export function answerSize(network: Network): number {
  const { answers, width } = taskOf(network);
  return answers * width;
}

/** Classes that a network tells apart; 0 where it does something else, as an encoder of any output does. */
export function answeredClasses(network: Network): number {
  try {
    const { name, width } = taskOf(network);
    return name === "classification" ? width : 0;
  } catch (error) {
    if (error instanceof BrodmannError && error.code === "E_NETWORK_OUTPUT") return 0;
    throw error;
  }
}
