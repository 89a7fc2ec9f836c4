/**
 * Brodmann: functional areas of trained neural networks, from Node scripts.
 *
 * @example
 * import { createCompute, importance, loadDataset, loadNetwork, spectral, weightGraph } from "brodmann";
 *
 * const network = await loadNetwork("mnist-mlp.onnx");
 * const digits = await loadDataset("digits.npz");
 * const graph = await weightGraph(network);
 * const partition = await spectral(graph, { k: 16, seed: 0 });
 * const scores = await importance(network, digits, partition);
 * console.log(scores.network.loss.permutationP);
 */
