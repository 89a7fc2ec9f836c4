/** What every section is given: the document, ready-made views of it, and the selection. */
import { colourOf } from "../../graph/cluster-colours.ts";
import type { ReportData } from "../report-data.ts";
import type { SubclusterEntry } from "../scores-document.ts";
import type { Store } from "./store.ts";

export interface Context {
  readonly data: ReportData;
  readonly store: Store;
  /** Scored subclusters; empty where nothing was scored. */
  readonly subclusters: readonly SubclusterEntry[];
  colour(cluster: number): string;
  className(label: number): string;
  layerNumber(name: string): number;
}

export function contextOf(data: ReportData, store: Store): Context {
  const numbers = new Map(data.graph.layers.map(({ name }, number) => [name, number]));
  return {
    data,
    store,
    subclusters: data.scores?.subclusters ?? [],
    colour: colourOf,
    className: (label) => data.classNames?.[label] ?? String(label),
    layerNumber: (name) => numbers.get(name) ?? -1,
  };
}

/** A part of the overview. Null where the document holds nothing for it. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** Stands over the section in place of its title. */
  readonly heading?: string;
  /** Called once; draws into an element of its own. */
  render(context: Context): HTMLElement | null;
}
