/** Many runs of a network side by side. */

/**
 * How many runs to start ahead: each core has one more before it, so that none waits for this thread. Few runs are
 * quicker one after another, on all cores each: then 1.
 */
export function widthOf({ runsApart }: { readonly runsApart: number }, runs: number): number {
  return runsApart > 1 && runs >= 2 * runsApart ? 2 * runsApart : 1;
}

/**
 * Starts work on items, up to `width` at a time, and gives the results in the items' order. Waits for what is under way
 * where the caller stops early.
 *
 * @example
 * for await (const [group, values] of runAhead(groups, 4, (group) => batch.runApart(group))) count(group, values);
 */
export async function* runAhead<Item, Result>(
  items: readonly Item[],
  width: number,
  start: (item: Item) => Promise<Result>,
): AsyncGenerator<readonly [Item, Result]> {
  const underWay: Promise<Result>[] = [];
  let next = 0;
  try {
    for (const item of items) {
      while (next < items.length && underWay.length < width) underWay.push(start(items[next++] as Item));
      yield [item, await (underWay[0] as Promise<Result>)];
      underWay.shift();
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
