import { nameIn, shared } from "./sections/map/layer-names.ts";

/**
 * Names of layers in so many letters: whole, or without the folders that all of them share, or with their middle left out.
 *
 * @example
 * layerLabels(["/blocks.0/fc/Gemm", "/blocks.1/fc/Gemm"])("/blocks.1/fc/Gemm", 10); // "blocks.1"
 */
export function layerLabels(names: readonly string[]): (name: string, letters: number) => string {
  const common = shared([...new Set(names)]);
  // As many pixels as the letters take there.
  return (name, letters) => nameIn(7 * letters, name, common);
}
