import type { ShaderTexts } from "./shader-texts.ts";

/** What a bundled bench carries along, for machines that have neither the repository nor git. */
export interface Bundle {
  readonly commit: string;
  readonly shaders: ShaderTexts;
  /** The script of the page that Chrome shows. */
  readonly page: string;
}

/** Null in a checkout; `build.ts` puts the bundle's contents here. */
export const bundle: Bundle | null = null;
