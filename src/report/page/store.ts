/**
 * What the reader looks at: the cluster that is selected everywhere, and the page. Both stand in the address, so that it can be
 * kept and shared, and the browser's back button works.
 */

/** The overview, one of its sections, or the page of a subcluster. */
export type Route =
  | { readonly page: "overview"; readonly section: string | null }
  | { readonly page: "subcluster"; readonly layer: string; readonly cluster: number };

export interface State {
  readonly route: Route;
  /** The cluster that is selected in all pictures; null = none. */
  readonly selected: number | null;
}

export interface Store {
  readonly state: State;
  /** Selects a cluster in all pictures, or none; the selected one again takes the selection back. */
  select(cluster: number | null): void;
  /** Calls `listener` with the state now and whenever it changes. */
  watch(listener: (state: State) => void): void;
}

const OVERVIEW: Route = { page: "overview", section: null };

/** The address of a subcluster's page, of a section, of a selection. */
export const subclusterAddress = (layer: string, cluster: number): string =>
  `#/subcluster/${encodeURIComponent(layer)}/${cluster}`;
export const sectionAddress = (section: string): string => `#/section/${section}`;
export const clusterAddress = (cluster: number): string => `#/cluster/${cluster}`;

/** Listens to the address until `signal` is aborted. */
export function openStore(signal: AbortSignal): Store {
  let state = stateOf(location.hash, null);
  const listeners: ((state: State) => void)[] = [];
  const onChange = (): void => {
    state = stateOf(location.hash, state.selected);
    for (const listener of listeners) listener(state);
  };
  addEventListener("hashchange", onChange, { signal });
  return {
    get state() {
      return state;
    },
    select(cluster) {
      location.hash = cluster === null || cluster === state.selected ? "#/" : clusterAddress(cluster);
    },
    watch(listener) {
      listeners.push(listener);
      listener(state);
    },
  };
}

/** What an address stands for; one that is not ours is the overview. */
function stateOf(hash: string, selected: number | null): State {
  const [, page = "", first = "", second = ""] = hash.split("/");
  const cluster = /^\d+$/.test(page === "subcluster" ? second : first)
    ? Number(page === "subcluster" ? second : first)
    : null;
  if (page === "subcluster" && cluster !== null) {
    return { route: { page, layer: decode(first), cluster }, selected: cluster };
  }
  if (page === "cluster") return { route: OVERVIEW, selected: cluster };
  if (page === "section") return { route: { page: "overview", section: first }, selected };
  return { route: OVERVIEW, selected: null };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
