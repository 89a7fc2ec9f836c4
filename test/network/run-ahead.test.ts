import { describe, expect, it } from "vitest";
import { runAhead } from "../../src/network/run-ahead.ts";

/** Work that ends when it is told to. */
function controlled() {
  const ends: ((value: string) => void)[] = [];
  const start = (item: number) =>
    new Promise<string>((resolve) => {
      ends[item] = resolve;
    });
  return {
    start,
    end: (item: number) => ends[item]?.(`done ${item}`),
    started: () => Object.keys(ends).length,
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("runAhead", () => {
  it("gives results in the order of the items, whatever order they come in", async () => {
    const { start, end, started } = controlled();
    const found: unknown[] = [];
    const all = (async () => {
      for await (const pair of runAhead([0, 1, 2, 3], 3, start)) found.push(pair);
    })();
    await settle();
    expect(started()).toBe(3);
    end(2);
    end(1);
    await settle();
    expect(found).toEqual([]);
    end(0);
    await settle();
    expect(found).toEqual([
      [0, "done 0"],
      [1, "done 1"],
      [2, "done 2"],
    ]);
    end(3);
    await all;
    expect(found).toHaveLength(4);
  });

  it("waits for what is under way where the caller stops, or one of them fails", async () => {
    let running = 0;
    const work = async (item: number): Promise<number> => {
      running++;
      await new Promise((resolve) => setTimeout(resolve, 5 * item));
      running--;
      if (item === 4) throw new Error("the fifth");
      return item;
    };
    for await (const [item] of runAhead([1, 2, 3, 3, 3], 3, work)) if (item === 2) break;
    expect(running).toBe(0);
    const all = async () => {
      for await (const _ of runAhead([1, 4, 9, 9], 3, work));
    };
    await expect(all()).rejects.toThrow("the fifth");
    expect(running).toBe(0);
  });
});
