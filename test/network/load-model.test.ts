import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrodmannError } from "../../src/errors.ts";
import { constantFloats } from "../../src/network/constants.ts";
import { loadModelBytes } from "../../src/network/load-model.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { kernelOf, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { DataLocation, DataType, makeNode, type TensorProto } from "../../src/runtime/onnx.ts";
import { edited, expectRefusal, sketch } from "../support/models.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "brodmann-model-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** 1.5, -0.25, 0, 2^-24 (the least half), 65504 (the largest half), -2. */
const VALUES = [1.5, -0.25, 0, 2 ** -24, 65504, -2];
const HALVES = [0x3e00, 0xb400, 0x0000, 0x0001, 0x7bff, 0xc000];
/** All but the extreme ones are exact as bfloat16 too. */
const BRAIN_VALUES = [1.5, -0.25, 0, 2 ** -24, 65536, -2];
const BRAINS = [0x3fc0, 0xbe80, 0x0000, 0x3380, 0x4780, 0xc000];

/** x (3) times a kernel of 3 x 2 that `store` fills in. */
function withKernel(store: (tensor: TensorProto) => void, inputType: number = DataType.FLOAT): Uint8Array {
  const model = sketch([3]);
  model.floats("w", [3, 2], VALUES);
  const bytes = model.encode(model.node("MatMul", ["x", "w"], {}, { name: "m" }));
  return edited(bytes, ({ graph }) => {
    const tensor = graph?.initializer[0];
    if (tensor) store(tensor);
    const type = graph?.input[0]?.type?.value;
    if (type?.case === "tensorType") type.value.elemType = inputType;
  });
}

const bytesOf = (values: { buffer: ArrayBufferLike }) => new Uint8Array(values.buffer as ArrayBuffer);
const store = (type: number, fields: Partial<TensorProto>) => (tensor: TensorProto) => {
  tensor.dataType = type;
  // Absent, not empty: ONNX Runtime takes an empty raw_data at its word.
  Reflect.deleteProperty(tensor, "rawData");
  Object.assign(tensor, fields);
};

function kernelValues(network: Network): number[] {
  const [layer] = network.layers;
  return layer === undefined ? [] : [...kernelOf(network, layer).values];
}
/** The kernel is stored inputs first and read outputs first. */
const turned = (values: readonly number[]) => [0, 2, 4, 1, 3, 5].map((i) => values[i] as number);

describe("how weights are stored", () => {
  const { FLOAT, FLOAT16, BFLOAT16 } = DataType;
  it.each([
    { title: "float, raw", type: FLOAT, fields: { rawData: bytesOf(Float32Array.from(VALUES)) } },
    { title: "float, typed", type: FLOAT, fields: { floatData: VALUES } },
    { title: "float16, raw", type: FLOAT16, fields: { rawData: bytesOf(Uint16Array.from(HALVES)) } },
    { title: "float16 in int32_data", type: FLOAT16, fields: { int32Data: HALVES } },
  ])("$title", async ({ type, fields }) => {
    // A float16 model declares a float16 input as well; it is run in float32.
    const network = await loadNetworkBytes(withKernel(store(type, fields), type), "stored");
    expect(kernelValues(network)).toEqual(turned(VALUES));
    expect(network.probe.values.get(network.logits)?.elementType).toBe(FLOAT);
  });

  it.each([
    { title: "bfloat16, raw", fields: { rawData: bytesOf(Uint16Array.from(BRAINS)) } },
    { title: "bfloat16 in int32_data", fields: { int32Data: BRAINS } },
  ])("$title", async ({ fields }) => {
    const network = await loadNetworkBytes(withKernel(store(BFLOAT16, fields), BFLOAT16), "stored");
    expect(kernelValues(network)).toEqual(turned(BRAIN_VALUES));
  });

  it.each([
    { title: "double, raw", fields: { rawData: bytesOf(Float64Array.from(VALUES)) } },
    { title: "double, typed", fields: { doubleData: VALUES } },
  ])("$title", async ({ fields }) => {
    const bytes = edited(withKernel(store(DataType.DOUBLE, fields)), ({ graph }) => {
      graph?.node.unshift(makeNode("Cast", ["x"], ["wide"], { to: BigInt(DataType.DOUBLE) }));
      const product = graph?.node[1];
      if (product) product.input[0] = "wide";
      graph?.node.push(makeNode("Cast", [product?.output[0] ?? ""], ["logits"], { to: BigInt(FLOAT) }));
      const output = graph?.output[0];
      if (output) output.name = "logits";
    });
    expect(kernelValues(await loadNetworkBytes(bytes, "stored"))).toEqual(turned(VALUES));
  });

  it("double, computed by a node", async () => {
    const model = sketch([2]);
    model.floats("w", [2, 2], [1, 2, 3, 4]);
    const wide = model.node("Cast", ["w"], { to: BigInt(DataType.DOUBLE) });
    const x = model.node("Cast", ["x"], { to: BigInt(DataType.DOUBLE) });
    const product = model.node("MatMul", [x, wide], {}, { name: "m" });
    const bytes = model.encode(model.node("Cast", [product], { to: BigInt(FLOAT) }));
    expect(kernelValues(await loadNetworkBytes(bytes, "stored"))).toEqual([1, 3, 2, 4]);
  });

  it("refuses infinite halves as weights, and keeps what casts to half as float32", async () => {
    const infinite = withKernel(store(FLOAT16, { int32Data: [0x7c00, 0, 0, 0, 0, 0] }), FLOAT16);
    await expectRefusal(() => loadNetworkBytes(infinite, "stored"), "E_NETWORK_NOT_FINITE");
    const model = sketch([3]);
    const half = model.node("Cast", [model.dense("x", "a", 3, 2)], { to: BigInt(FLOAT16) });
    const network = await loadNetworkBytes(model.encode(half), "cast");
    expect(network.probe.values.get(half)?.elementType).toBe(FLOAT);
    expect(network.logits).toBe(half);
  });

  it("integers in int64_data and int32_data steer shapes and axes", async () => {
    for (const [type, field] of [
      [DataType.INT64, "int64Data"],
      [DataType.INT32, "int32Data"],
    ] as const) {
      const model = sketch([2, 4, 4]);
      const conv = model.conv("x", { name: "a", inputs: 2, units: 4 });
      const indices = model.ints([3, 1]);
      const picked = model.node("Gather", [conv, indices], { axis: 1n });
      const z = model.conv(picked, { name: "z", inputs: 2, units: 2 });
      const bytes = edited(model.encode(z), ({ graph }) => {
        const tensor = graph?.initializer.find(({ name }) => name === indices);
        const values = type === DataType.INT64 ? [3n, 1n] : [3, 1];
        if (tensor) store(type, { [field]: values })(tensor);
      });
      const network = await loadNetworkBytes(bytes, "integers");
      expect(network.connections.map(({ index }) => [...index])).toEqual([[3, 1]]);
    }
  });

  it.each([
    { title: "too few raw bytes", type: FLOAT, fields: { rawData: new Uint8Array(20) } },
    { title: "too many raw bytes", type: FLOAT, fields: { rawData: new Uint8Array(28) } },
    { title: "too few values", type: FLOAT, fields: { floatData: [1, 2, 3] } },
    { title: "no values", type: FLOAT, fields: {} },
    { title: "half as many halves", type: FLOAT16, fields: { rawData: new Uint8Array(6) } },
    { title: "an impossible shape", type: FLOAT, fields: { dims: [-3n, 2n], floatData: VALUES } },
  ])("refuses $title", async ({ type, fields }) => {
    const bytes = withKernel(store(type, fields));
    await expectRefusal(() => loadNetworkBytes(bytes, "stored"), "E_NETWORK_TENSOR");
  });
});

describe("operator sets", () => {
  it.each([9, 11, 13, 17, 21])("%i: a network with what changed between them", async (opset) => {
    const model = sketch([2, 4, 4], { opset });
    const axes = (values: number[]) =>
      opset >= 13
        ? { inputs: [model.ints(values)], attributes: {} }
        : { inputs: [], attributes: { axes: values.map(BigInt) } };
    let value = model.conv("x", { name: "a", inputs: 2, units: 4 });
    value =
      opset >= 11
        ? model.node("Clip", [value, model.floats("low", [], [0]), model.floats("high", [], [6])])
        : model.node("Clip", [value], { min: 0, max: 6 });
    value =
      opset >= 11
        ? model.node("Pad", [value, model.ints([0, 0, 1, 1, 0, 0, 1, 1])])
        : model.node("Pad", [value], { pads: [0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n] });
    value =
      opset >= 12
        ? model.node("Dropout", [value, model.floats("ratio", [], [0.5])])
        : model.node("Dropout", [value], { ratio: 0.5 });
    value =
      opset >= 18
        ? model.node("ReduceMean", [value, model.ints([2, 3])])
        : model.node("ReduceMean", [value], { axes: [2n, 3n] });
    const squeeze = axes([2, 3]);
    value = model.node("Squeeze", [value, ...squeeze.inputs], squeeze.attributes);
    const unsqueeze = axes([1]);
    value = model.node("Unsqueeze", [value, ...unsqueeze.inputs], unsqueeze.attributes);
    value = model.node("Flatten", [value]);
    const network = await loadNetworkBytes(model.encode(model.dense(value, "z", 4, 3)), "opset");
    expect(network.skipped).toEqual([]);
    expect(network.layers.map(({ output }) => output.value)).toEqual([value, "z.out"]);
    expect(network.connections.map(({ index }) => [...index])).toEqual([[0, 1, 2, 3]]);
  });

  it.each([8, 99])("%i is refused", async (opset) => {
    const model = sketch([3], { opset });
    const bytes = model.encode(model.dense("x", "a", 3, 2));
    await expectRefusal(() => loadNetworkBytes(bytes, "opset"), "E_NETWORK_UNSUPPORTED");
  });
});

describe("external data", () => {
  const raw = bytesOf(Float32Array.from([9, ...VALUES, 9]));
  const external = (entries: Record<string, string>) =>
    withKernel((tensor) => {
      tensor.rawData = new Uint8Array(0);
      tensor.dataLocation = DataLocation.EXTERNAL;
      tensor.externalData = Object.entries(entries).map(
        ([key, value]) => ({ $typeName: "onnx.StringStringEntryProto", key, value }) as never,
      );
    });
  const range = { offset: "4", length: "24" };
  let path = "";
  const write = async (entries: Record<string, string>) => writeFile(path, external(entries));

  beforeAll(async () => {
    const inside = join(folder, "model");
    await mkdir(join(inside, "sub"), { recursive: true });
    path = join(inside, "model.onnx");
    await writeFile(join(inside, "weights.bin"), raw);
    await writeFile(join(inside, "sub", "weights.bin"), raw);
    await writeFile(join(folder, "outside.bin"), raw);
    // A folder whose name begins like the model's.
    await mkdir(join(folder, "model-2"));
    await writeFile(join(folder, "model-2", "weights.bin"), raw);
    await symlink(join(folder, "outside.bin"), join(inside, "link-out.bin"));
    await symlink(join(inside, "weights.bin"), join(inside, "link-in.bin"));
  });

  it.each(["weights.bin", "./weights.bin", "sub/weights.bin", "sub/../weights.bin", "link-in.bin"])(
    "is read from %s beside the model",
    async (location) => {
      await write({ location, ...range });
      expect(kernelValues(await loadNetwork(path))).toEqual(turned(VALUES));
    },
  );

  it("is read to the end of the file where no length is given", async () => {
    await writeFile(join(folder, "model", "tail.bin"), raw.subarray(0, 28));
    await write({ location: "tail.bin", offset: "4" });
    expect(kernelValues(await loadNetwork(path))).toEqual(turned(VALUES));
  });

  it.each([
    { title: "missing file", entries: { location: "missing.bin", ...range } },
    { title: "no location", entries: range },
    { title: "empty location", entries: { location: "", ...range } },
    { title: "parent folder", entries: { location: "../outside.bin", ...range } },
    { title: "hidden parent folder", entries: { location: "sub/../../outside.bin", ...range } },
    { title: "sibling folder of a like name", entries: { location: "../model-2/weights.bin", ...range } },
    { title: "absolute location", entries: { location: "/etc/hostname", offset: "0", length: "24" } },
    { title: "link out of the folder", entries: { location: "link-out.bin", ...range } },
    { title: "the folder itself", entries: { location: ".", ...range } },
    { title: "a folder", entries: { location: "sub", ...range } },
    { title: "range past the end", entries: { location: "weights.bin", offset: "12", length: "24" } },
    { title: "negative offset", entries: { location: "weights.bin", offset: "-4", length: "24" } },
    { title: "negative length", entries: { location: "weights.bin", offset: "4", length: "-24" } },
    { title: "offset that is no number", entries: { location: "weights.bin", offset: "four", length: "24" } },
    { title: "fractional offset", entries: { location: "weights.bin", offset: "4.5", length: "24" } },
    { title: "infinite length", entries: { location: "weights.bin", offset: "0", length: "Infinity" } },
  ])("refuses: $title", async ({ entries }) => {
    await write(entries);
    await expectRefusal(() => loadNetwork(path), "E_NETWORK_EXTERNAL_DATA");
  });

  it("of the wrong length for the tensor is refused", async () => {
    await write({ location: "weights.bin", offset: "0", length: "20" });
    await expectRefusal(() => loadNetwork(path), "E_NETWORK_TENSOR");
    await write({ location: "weights.bin", offset: "0", length: "0" });
    await expectRefusal(() => loadNetwork(path), "E_NETWORK_TENSOR");
  });

  it("cannot come with a model given as bytes", async () => {
    const bytes = external({ location: "weights.bin", ...range });
    await expectRefusal(() => loadNetworkBytes(bytes, "bytes"), "E_NETWORK_EXTERNAL_DATA");
  });

  it("is found beside a model that is reached through a link to its folder", async () => {
    await write({ location: "weights.bin", ...range });
    await symlink(join(folder, "model"), join(folder, "linked"));
    expect(kernelValues(await loadNetwork(join(folder, "linked", "model.onnx")))).toEqual(turned(VALUES));
  });
});

describe("what is not an ONNX file", () => {
  const text = new TextEncoder();
  it.each([
    { title: "nothing", bytes: new Uint8Array(0) },
    { title: "text", bytes: text.encode("this is not a network\n") },
    { title: "JSON", bytes: text.encode('{"layers": []}') },
    {
      title: "a PNG image",
      bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13),
    },
    { title: "a zip archive (PyTorch)", bytes: Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0) },
    { title: "an HDF5 file (Keras)", bytes: Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a) },
    { title: "zeros", bytes: new Uint8Array(64) },
    { title: "the beginning of a field", bytes: Uint8Array.of(0x08, 0x08, 0x3a) },
    { title: "a model without a graph", bytes: Uint8Array.of(0x08, 0x08) },
  ])("$title", async ({ bytes }) => {
    await expectRefusal(() => loadNetworkBytes(bytes, "file"), "E_INPUT_NOT_ONNX");
    const path = join(folder, "not-a-network");
    await writeFile(path, bytes);
    const refusal = await expectRefusal(() => loadNetwork(path), "E_INPUT_NOT_ONNX");
    expect(refusal.message).toContain("not-a-network");
  });

  it("a path that is not there, or a folder", async () => {
    await expectRefusal(() => loadNetwork(join(folder, "nowhere.onnx")), "E_INPUT_NOT_FOUND");
    await expectRefusal(() => loadNetwork(folder), "E_INPUT_NOT_FOUND");
  });

  it("a file cut short or damaged anywhere is refused in order, or still is a network", async () => {
    const model = sketch([2, 4, 4]);
    const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 3 })]);
    const bytes = model.encode(model.dense(model.node("Flatten", [a]), "z", 48, 2));
    for (let cut = 0; cut < bytes.length; cut += cut < 400 ? 3 : 37) {
      await expectRefusal(() => loadNetworkBytes(bytes.subarray(0, cut), "cut"), /^E_(INPUT|NETWORK)_/);
    }
    for (let at = 0; at < bytes.length; at += at < 400 ? 3 : 97) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 0x55;
      const outcome = await loadNetworkBytes(damaged, "damaged").catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome, `byte ${at}`).toBeInstanceOf(BrodmannError);
        expect((outcome as BrodmannError).code).toMatch(/^E_(INPUT|NETWORK)_/);
      }
    }
  });
});

describe("constants", () => {
  it("in attributes are widened like those stored", () => {
    const model = sketch([3]);
    model.floats("w", [3, 2], VALUES);
    model.node("Constant", [], { value: [] });
    const tensor = model.initializers.pop();
    if (tensor) store(DataType.FLOAT16, { int32Data: HALVES })(tensor);
    const attribute = model.nodes[0]?.attribute[0];
    // Type 4 is TENSOR.
    if (attribute && tensor) Object.assign(attribute, { type: 4, t: tensor });
    const loaded = loadModelBytes(model.encode(model.node("MatMul", ["x", "constant1"])), "constant");
    const widened = loaded.graph?.node[0]?.attribute[0]?.t;
    expect(widened?.dataType).toBe(DataType.FLOAT);
    expect([...new Float32Array(new Uint8Array(widened?.rawData ?? []).buffer)]).toEqual(VALUES);
  });

  it("that are no floats are none", async () => {
    const model = sketch([3]);
    const shape = model.ints([0, -1]);
    const network = await loadNetworkBytes(
      model.encode(model.node("Reshape", [model.dense("x", "a", 3, 2), shape])),
      "integers",
    );
    expect(constantFloats(network, shape)).toBeNull();
    expect(constantFloats(network, "x")).toBeNull();
    expect(constantFloats(network, "a.bias")?.dims).toEqual([2]);
  });
});
