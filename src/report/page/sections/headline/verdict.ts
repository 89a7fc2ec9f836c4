/**
 * What a network's statistics say, in plain words. A sentence never claims more than its test: what is not significant is no
 * evidence, which is not evidence of the contrary, and what is significant is "consistent with" specialization.
 */
import type { ReportData } from "../../../report-data.ts";
import type { ScoresDocument } from "../../../scores-document.ts";
import { formatP, plural } from "../../format.ts";
import { measureSays } from "../../measure-names.ts";
import {
  coherenceLead,
  type Evidence,
  importanceLead,
  type JudgedRow,
  judgeRows,
  nameOfP,
} from "./evidence.ts";

/** Two sentences and the answer that they add up to. */
export interface Verdict {
  readonly tone: "good" | "warn" | "neutral";
  /** A few words: the first thing that is read. */
  readonly answer: string;
  readonly importance: string;
  readonly coherence: string;
}

/**
 * @example
 * verdictOf(data).answer; // "Consistent with local specialization"
 */
export function verdictOf({ scores, graph }: Pick<ReportData, "scores" | "graph">): Verdict {
  if (scores === null) {
    return {
      tone: "neutral",
      answer: "Not tested yet",
      importance:
        "The network was partitioned, but nothing was scored: whether its clusters mean anything is open.",
      coherence: "Score them with brodmann score, or run brodmann analyze to its end.",
    };
  }
  const importance = importanceLead(scores);
  const coherence = coherenceLead(scores);
  const isByConstruction = graph.kind === "activations" && coherence?.evidence === "strong";
  const answer = answerOf(importance?.evidence ?? "untested", coherence?.evidence ?? "untested");
  return {
    answer: answer.answer,
    // Without importance, coherence of activations with themselves is all that was found.
    tone: isByConstruction && importance?.evidence !== "strong" ? "warn" : answer.tone,
    importance: importanceSentence(scores, importance),
    coherence: `${coherenceSentence(scores)}${isByConstruction ? ` ${BY_CONSTRUCTION}` : ""}`,
  };
}

function answerOf(importance: Evidence, coherence: Evidence): Pick<Verdict, "tone" | "answer"> {
  const both = [importance, coherence];
  if (both.every((evidence) => evidence === "strong")) {
    return { tone: "good", answer: "Consistent with local specialization" };
  }
  if (importance === "strong") {
    return {
      tone: "good",
      answer: `Its clusters are important beyond chance${other("coherence", coherence)}`,
    };
  }
  if (coherence === "strong") {
    return {
      tone: "good",
      answer: `Its clusters are coherent beyond chance${other("importance", importance)}`,
    };
  }
  if (both.includes("weak")) return { tone: "warn", answer: "A hint of local specialization, no more" };
  if (both.includes("none")) return { tone: "neutral", answer: "No evidence of local specialization" };
  return { tone: "neutral", answer: "Could not be tested" };
}

/** What is known of the other question, where one has an answer. */
function other(question: string, evidence: Evidence): string {
  if (evidence === "untested") return "";
  return `; for ${question} there is ${evidence === "weak" ? "a hint" : "no evidence"}`;
}

/** "p = .032", "p < .001". */
export const equals = (p: number | null): string =>
  p !== null && p < 0.001 ? formatP(p) : `= ${formatP(p)}`;

const BY_CONSTRUCTION =
  "They were put together by their activations: on the very inputs of the graph this is so by construction.";
const ABSENCE = "This is absence of evidence, not evidence of absence.";

function importanceSentence(scores: ScoresDocument, lead: JudgedRow | null): string {
  if (lead === null) return "How much the network needs its clusters was not scored.";
  const { row, evidence, measure } = lead;
  if (evidence === "untested") {
    return "Importance could not be tested: no subcluster has a defined p-value.";
  }
  const p = `${nameOfP(scores)} ${equals(lead.p)}`;
  const harm = measureSays(measure);
  const them = subclusters(row.significant, row.tested);
  switch (evidence) {
    case "strong":
      return row.significant > 0
        ? `The clusters of this network matter more than chance: lesions of ${them} ${harm} than lesions of random groups of the same layer and size (${p}).`
        : `Taken together, the clusters of this network matter more than chance: their lesions ${harm} than lesions of random groups of the same layer and size (${p}). None of the ${plural(row.tested, "subcluster")} stands out on its own.`;
    case "weak":
      return `There is a hint, but no more, that the clusters of this network matter more than chance: the ${nameOfP(scores)} of ${named(measure)}, ${formatP(lead.p)}, becomes ${formatP(row.by)} once the number of measures is allowed for.${alone(lead)}`;
    default:
      return `No evidence that the clusters of this network matter more than chance: their lesions cannot be told from lesions of random groups of the same layer and size (${p}).${alone(lead)} ${ABSENCE}`;
  }
}

const named = (measure: string): string => (measure === "loss" ? "the loss" : "the accuracy");

/** Single subclusters may stand out where their network does not. */
const alone = ({ row: { significant, tested } }: JudgedRow): string =>
  significant > 0
    ? ` On ${significant === 1 ? "its" : "their"} own, ${subclusters(significant, tested)} ${significant === 1 ? "stands" : "stand"} out.`
    : "";

/** "7 of its 34 subclusters", "all of its 34 subclusters". */
const subclusters = (some: number, all: number): string =>
  some === all && all > 1 ? `all ${all} subclusters` : `${some} of its ${plural(all, "subcluster")}`;

function coherenceSentence(scores: ScoresDocument): string {
  const rows = judgeRows(scores.network.coherence, scores);
  if (rows.length === 0) return "Whether their units act as one was not scored.";
  const tested = rows.filter(({ evidence }) => evidence !== "untested");
  if (tested.length === 0) return "Coherence could not be tested: no subcluster has a defined p-value.";
  const of = (evidence: Evidence) =>
    tested.filter((row) => row.evidence === evidence).sort((one, other) => (one.p ?? 1) - (other.p ?? 1));
  const strong = of("strong");
  const measures = plural(tested.length, "measure");
  const p = nameOfP(scores);
  if (strong.length > 0) {
    return `The units of its subclusters act as one more than random groups do, by ${strong.length} of ${measures}: they ${list(strong, p)}.`;
  }
  const weak = of("weak");
  if (weak.length > 0) {
    return `That the units of its subclusters act as one is hinted at by ${weak.length} of ${measures}, and by none once the number of measures is allowed for: they ${list(weak, p)}.`;
  }
  return `No evidence that the units of its subclusters act as one more than random groups do, by any of ${measures}.`;
}

const MOST_NAMED = 3;

/** "act alike over the inputs (permutation p < .001), vary along one direction (.012), and 2 more". */
function list(rows: readonly JudgedRow[], nameOfP: string): string {
  const named = rows
    .slice(0, MOST_NAMED)
    .map(
      ({ measure, p }, at) =>
        `${measureSays(measure)} (${at === 0 ? `${nameOfP} ${equals(p)}` : formatP(p)})`,
    );
  const others = rows.length - named.length;
  return [...named, ...(others > 0 ? [`and ${others} more`] : [])].join(", ");
}
