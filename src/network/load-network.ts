import { loadModel } from "./model-file.ts";
import { analyzeModel, type Network, type NetworkOptions } from "./network.ts";

/**
 * Reads an ONNX network from a file and finds its layers, units and connections.
 *
 * @example
 * const network = await loadNetwork("mnist-mlp.onnx");
 * console.log(network.layers.map(({ name, units }) => `${name}: ${units} units`));
 */
export async function loadNetwork(path: string, options: NetworkOptions = {}): Promise<Network> {
  return analyzeModel(await loadModel(path), path, options);
}
