/** What a bundled bench carries along, for machines that have neither the repository nor git. */
export interface Bundle {
  readonly commit: string;
  /** Texts by path: "gram.wgsl", "lib/grid.wgsl". */
  readonly shaders: Readonly<Record<string, string>>;
}

/** Null in a checkout; `build.ts` puts the bundle's contents here. */
export const bundle: Bundle | null = null;
