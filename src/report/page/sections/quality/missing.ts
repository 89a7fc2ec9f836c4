/** What was not measured, and the flag that measures it. */
import { h } from "../../dom.ts";

export const missing = (text: string, flag: string): HTMLElement =>
  h("p", { class: "empty" }, text, " Ask for it: ", h("code", { class: "flag" }, flag), ".");
