import { BrodmannError } from "../../src/errors.ts";

/** The `BrodmannError` that `run` throws; fails the test where it throws none or another one. */
export async function catchError(run: () => unknown): Promise<BrodmannError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof BrodmannError) return error;
    throw error;
  }
  throw new Error("found no error, expected a BrodmannError");
}
