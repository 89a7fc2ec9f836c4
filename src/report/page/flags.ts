/** Text in which flags of the command line stand out and never break. */
import { type Child, h } from "./dom.ts";

/**
 * @example
 * h("p", {}, withFlags("Ask for it: --nulls 50."));
 */
export const withFlags = (text: string): Child[] =>
  text
    .split(/(--[a-z][a-z-]*(?: \w+(?:,\w+)*)?)/)
    .map((part) => (part.startsWith("--") ? h("code", { class: "flag" }, part) : part));
