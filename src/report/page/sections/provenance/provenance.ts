/** How this was made, so that it can be made again. */
import type { Context, Section } from "../../context.ts";
import { h } from "../../dom.ts";
import { withFlags } from "../../flags.ts";
import { commandOf, type FactGroup, factGroups, fileHolds, fileSize, gapsOf } from "./facts.ts";

export const provenance: Section = {
  id: "provenance",
  title: "Provenance",
  heading: "How this was made",
  render: draw,
};

/** Lines that are shown at once; the others unfold. */
const MOST_GAPS = 8;

function draw({ data }: Context): HTMLElement {
  const command = commandOf(data.run);
  return h(
    "div",
    {},
    command === null
      ? h("p", { class: "empty" }, "The command is not known: the folder holds no run.json.")
      : commandBox(command),
    h("div", { class: "groups" }, factGroups(data).map(group)),
    h("h3", {}, "What was not measured, and why"),
    gaps(gapsOf(data)),
    data.files.length === 0 ? null : [h("h3", {}, "Files of this run"), files(data.files)],
  );
}

function commandBox(command: string): HTMLElement {
  const said = h("span", { role: "status", class: "soft small" });
  const button = h("button", { type: "button", onclick: () => void copy() }, "Copy");
  const code = h("pre", { tabindex: 0, "aria-label": "Command", role: "region" }, h("code", {}, command));
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(command);
      said.textContent = "copied";
    } catch {
      // Pages from disk may have no clipboard: then it is selected, for the reader to copy.
      getSelection()?.selectAllChildren(code);
      said.textContent = "selected: copy it by the keyboard";
    }
  }
  return h("div", { class: "command" }, code, h("div", { class: "controls" }, button, said));
}

function group({ title, facts }: FactGroup): HTMLElement {
  return h(
    "div",
    { class: "group" },
    h("h3", {}, title),
    h(
      "dl",
      { class: "facts" },
      facts.map(({ term, text, isCode }) =>
        h("div", {}, h("dt", {}, term), h("dd", {}, isCode ? h("code", {}, text) : text)),
      ),
    ),
  );
}

function gaps(lines: readonly string[]): HTMLElement {
  if (lines.length === 0)
    return h("p", { class: "soft" }, "Everything was measured, and nothing was left out.");
  const list = (shown: readonly string[]) =>
    h(
      "ul",
      { class: "gaps" },
      shown.map((line) => h("li", {}, withFlags(line))),
    );
  const rest = lines.slice(MOST_GAPS);
  return h(
    "div",
    {},
    list(lines.slice(0, MOST_GAPS)),
    rest.length === 0 ? null : h("details", {}, h("summary", {}, `${rest.length} more`), list(rest)),
  );
}

function files(all: readonly { readonly name: string; readonly sizeBytes: number }[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Files of this run" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "file"),
          h("th", { scope: "col" }, "size"),
          h("th", { scope: "col", class: "text" }, "holds"),
        ),
      ),
      h(
        "tbody",
        {},
        all.map(({ name, sizeBytes }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            h("td", {}, fileSize(sizeBytes)),
            h("td", { class: "text" }, fileHolds(name)),
          ),
        ),
      ),
    ),
  );
}
