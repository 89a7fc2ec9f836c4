import { BrodmannError } from "../errors.ts";

/** Throws `E_PARTITION_K` unless 1 <= k <= count; `where` names what is partitioned. */
export function requireClusters(where: string, k: number, count: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= count) return;
  throw new BrodmannError(
    "E_PARTITION_K",
    `${where}: found k = ${k}, expected 1 to ${count}, the number of units with edges`,
    { hint: "Choose another k." },
  );
}
