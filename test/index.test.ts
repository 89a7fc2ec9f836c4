import { expect, it } from "vitest";
import * as brodmann from "../src/index.ts";

// The public API grows by decision only: a name that comes or goes is changed here as well.
it("exports these names", () => {
  expect(Object.keys(brodmann).sort()).toEqual([
    "BrodmannError",
    "activationGraph",
    "analyze",
    "coAssignment",
    "comparePartitions",
    "evaluateNetwork",
    "formatPartition",
    "formatScores",
    "importance",
    "layerNamed",
    "leiden",
    "loadActivations",
    "loadDataset",
    "loadNetwork",
    "loadNetworkBytes",
    "localEngine",
    "louvain",
    "measureStability",
    "measureTransfer",
    "openChrome",
    "openCompute",
    "parsePartition",
    "permuteInputs",
    "randomPartition",
    "readGraph",
    "recordUnits",
    "resampleInputs",
    "runLesions",
    "shuffleWeights",
    "spectral",
    "testAgreement",
    "testQuality",
    "unitRoles",
    "weightGraph",
    "writeGraph",
  ]);
});
