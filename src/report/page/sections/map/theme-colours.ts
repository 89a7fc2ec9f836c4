/** The page's colours for what style sheets do not reach. */

export interface PageColours {
  readonly ink: string;
  readonly soft: string;
  readonly paper: string;
}

/** The colours of the theme now, #rrggbb. */
export function pageColours(): PageColours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => longHex(style.getPropertyValue(`--${name}`).trim());
  return { ink: of("ink"), soft: of("soft"), paper: of("paper") };
}

/** Style sheets come minified: #fff is #ffffff. */
const longHex = (text: string): string =>
  text.length === 4 ? `#${[...text.slice(1)].map((digit) => digit + digit).join("")}` : text;

/** One colour (#rrggbb) with a share of another; opaque, as WebGL draws it the same everywhere. */
export function mixed(colour: string, other: string, share: number): string {
  const channel = (text: string, at: number): number =>
    Number.parseInt(text.slice(1 + 2 * at, 3 + 2 * at), 16);
  const channels = [0, 1, 2].map((at) =>
    Math.round((1 - share) * channel(colour, at) + share * channel(other, at)),
  );
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Calls back whenever the theme changes, by the page's switch or the system's; returns what ends that. */
export function watchTheme(listener: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  system.addEventListener("change", listener);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", listener);
  };
}
