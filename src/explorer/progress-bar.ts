/** How far an analysis is, in figures and as a bar. */
import type { Progress } from "../progress.ts";
import { h } from "../report/page/dom.ts";
import { count } from "../report/page/format.ts";

export interface ProgressBar {
  readonly element: HTMLElement;
  show(progress: Progress): void;
  say(text: string): void;
}

export function progressBar(): ProgressBar {
  const text = h("p", { class: "progress-text", role: "status" });
  const bar = h("progress", { max: 1, "aria-label": "Progress of this step" });
  return {
    element: h("div", { class: "progress" }, bar, text),
    show({ phase, done, total, etaMs }) {
      if (total > 0) bar.value = done / total;
      const left = etaMs === null ? "" : `, ${duration(etaMs)} left`;
      text.textContent = `${phase}: ${count(done)} of ${count(total)}${left}`;
    },
    say(words) {
      bar.removeAttribute("value");
      text.textContent = words;
    },
  };
}

/** "40 s", "3 min 20 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
