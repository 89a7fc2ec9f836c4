/**
 * A `Compute` that survives the loss of its GPU: drivers restart, laptops change their GPU, work that takes too long is
 * cut off. What runs then is repeated once, from the start, on a fresh device; the same random numbers are drawn again,
 * so that the result is that of an undisturbed run. Matrices on the lost device go with it and are uploaded anew.
 */
import { BrodmannError, messageOf } from "../../errors.ts";
import type { Rng } from "../../statistics/rng.ts";
import type { Compute } from "../compute.ts";
import { HostRecorder } from "../cpu/host-recorder.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { createWebgpuCompute } from "./webgpu-compute.ts";

/**
 * The kernels on `first` and, after it is lost, on what `open` gives. `report` is told of every loss. A second loss
 * during one and the same call is its error (`E_DEVICE_LOST`), and so is a loss after which `open` fails.
 *
 * @example
 * const open = () => openNodeGpu({ adapter: "hardware" });
 * const compute = createRecoveringCompute(await open(), open, console.warn);
 */
export function createRecoveringCompute(
  first: GpuDevice,
  open: () => Promise<GpuDevice>,
  report: (message: string) => void,
): Compute {
  let current = createWebgpuCompute(first);
  let opening: Promise<void> | null = null;

  const replace = async (lost: Compute, loss: BrodmannError, stage: string): Promise<void> => {
    report(`${loss.message}; repeating ${stage} on a new device`);
    await lost.dispose();
    try {
      current = createWebgpuCompute(await open());
    } catch (error) {
      throw lostFor(`${loss.message}, and no new one opened (${messageOf(error)})`, error);
    }
  };

  const run = async <Result>(
    stage: string,
    work: (compute: Compute) => Promise<Result>,
    rng?: Rng,
  ): Promise<Result> => {
    const rewind = rng?.mark();
    const used = current;
    try {
      return await work(used);
    } catch (loss) {
      if (!isLoss(loss)) throw loss;
      // Of calls that run side by side, the first one opens the new device for all.
      if (current === used) {
        opening ??= replace(used, loss, stage).finally(() => {
          opening = null;
        });
        await opening;
      }
    }
    rewind?.();
    try {
      return await work(current);
    } catch (loss) {
      if (!isLoss(loss)) throw loss;
      throw lostFor(`${loss.message}, for the second time during ${stage}`, loss);
    }
  };

  return {
    device: "webgpu",
    kernelNorms: (...args) => run("kernel norms", (compute) => compute.kernelNorms(...args)),
    // Recorded in main memory, and left as it is by this device: what is on a lost device could not be correlated again.
    recorder: (units, samples) => new HostRecorder(units, samples),
    correlations: (...args) => run("correlations", (compute) => compute.correlations(...args)),
    topCorrelations: (...args) => run("top correlations", (compute) => compute.topCorrelations(...args)),
    distances: (...args) => run("distances", (compute) => compute.distances(...args)),
    degrees: (matrix) => run("degrees", (compute) => compute.degrees(matrix)),
    spectralEmbedding: (matrix, k, rng, options) =>
      run("eigenvectors", (compute) => compute.spectralEmbedding(matrix, k, rng, options), rng),
    kmeans: (points, dimensions, k, restarts, kept, rng, options) =>
      run("k-means", (compute) => compute.kmeans(points, dimensions, k, restarts, kept, rng, options), rng),
    clusterWeights: (...args) => run("cluster weights", (compute) => compute.clusterWeights(...args)),
    dispose: () => current.dispose(),
  };
}

function isLoss(error: unknown): error is BrodmannError {
  return error instanceof BrodmannError && error.code === "E_DEVICE_LOST";
}

function lostFor(message: string, cause: unknown): BrodmannError {
  return new BrodmannError("E_DEVICE_LOST", message, {
    hint: "Use fewer units or inputs, update the graphics driver, or pass --device cpu.",
    cause,
  });
}
