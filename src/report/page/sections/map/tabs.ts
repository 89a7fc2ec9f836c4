/** Panels of which one is seen, and the bar that chooses it (arrow keys go along the bar). */
import { h } from "../../dom.ts";

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly panel: HTMLElement;
  readonly onShow?: () => void;
  readonly onHide?: () => void;
}

export interface Tabs {
  readonly bar: HTMLElement;
  readonly panels: HTMLElement;
  /** Id of the tab that is seen. */
  shown(): string;
  watch(listener: (id: string) => void): void;
}

export function tabs(all: readonly Tab[]): Tabs {
  let shown = all[0]?.id ?? "";
  const listeners: ((id: string) => void)[] = [];
  const buttons = all.map(({ id, title }) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `map-tab-${id}`,
        "aria-controls": `map-panel-${id}`,
        onclick: () => show(id),
      },
      title,
    ),
  );
  const panels = all.map(({ id, panel }) =>
    h("div", { id: `map-panel-${id}`, role: "tabpanel", "aria-labelledby": `map-tab-${id}` }, panel),
  );
  const mark = (): void => {
    all.forEach(({ id }, at) => {
      const isShown = id === shown;
      buttons[at]?.setAttribute("aria-selected", String(isShown));
      buttons[at]?.setAttribute("tabindex", isShown ? "0" : "-1");
      const panel = panels[at];
      if (panel !== undefined) panel.hidden = !isShown;
    });
  };
  const show = (id: string): void => {
    if (id === shown) return;
    const before = all.find((tab) => tab.id === shown);
    shown = id;
    before?.onHide?.();
    mark();
    all.find((tab) => tab.id === id)?.onShow?.();
    for (const listener of listeners) listener(id);
  };
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": "Ways to draw the network" }, buttons);
  bar.addEventListener("keydown", ({ key }) => {
    const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const to = all[all.findIndex(({ id }) => id === shown) + step];
    if (step === 0 || to === undefined) return;
    show(to.id);
    buttons[all.indexOf(to)]?.focus();
  });
  mark();
  return {
    bar,
    panels: h("div", {}, panels),
    shown: () => shown,
    watch(listener) {
      listeners.push(listener);
    },
  };
}
