/**
 * Makes mnist-digits.npz: the 2,000 digits that the embedded network was not trained on.
 * Run: npx tsx examples/make-digits.ts
 */
import { writeFileSync } from "node:fs";
import { formatNpz } from "../src/data/npz.ts";
import { SIDE, splitDigits } from "./mnist-split.ts";

const { heldOut } = splitDigits();
const file = new URL("mnist-digits.npz", import.meta.url);
const pieces = formatNpz({
  x: { shape: [heldOut.count, 1, SIDE, SIDE], dtype: "uint8", values: heldOut.images },
  y: { shape: [heldOut.count], dtype: "uint8", values: heldOut.labels },
});
writeFileSync(file, Buffer.concat([...pieces]));
const counts = new Array<number>(10).fill(0);
for (const label of heldOut.labels) counts[label] = (counts[label] as number) + 1;
console.log(`${heldOut.count} digits, by digit: ${counts.join(" ")}`);
