import { describe, expect, it } from "vitest";
import { countStates, statesOf, writeBits } from "../../src/populations/correctness.ts";
import { mapInputs } from "../../src/populations/input-map.ts";
import { drawInputMap, formatInputMap } from "../../src/populations/input-map-picture.ts";
import { rng } from "../../src/statistics/rng.ts";

const COUNT = 60;

/** Three heaps of inputs, far from each other, in so many dimensions. */
function heaps(width: number) {
  const random = rng(0, "heaps");
  const values = Float32Array.from(
    { length: COUNT * width },
    (_, at) => 8 * ((Math.floor(at / width) % 3) - 1) * ((at % width) % 2 === 0 ? 1 : -0.5) + random.normal(),
  );
  return {
    count: COUNT,
    batch: (start: number, rows: number) => values.slice(start * width, (start + rows) * width),
  };
}

describe("the map of inputs", () => {
  it.each([6, 80])(
    "keeps heaps of inputs of %i numbers together, the same for the same seed",
    async (width) => {
      const map = await mapInputs(heaps(width), 4);
      const again = await mapInputs(heaps(width), 4);
      expect(again).toEqual(map);
      if (map === null) throw new Error("no map");
      expect(Math.min(...map.x, ...map.y)).toBe(0);
      expect(Math.max(...map.x)).toBe(1);
      const distance = (a: number, b: number) =>
        Math.hypot((map.x[a] as number) - (map.x[b] as number), (map.y[a] as number) - (map.y[b] as number));
      for (let own = 0; own < COUNT; own++) {
        const others = Array.from({ length: COUNT }, (_, i) => i).filter((i) => i !== own);
        const nearest = others.reduce((best, i) => (distance(own, i) < distance(own, best) ? i : best));
        expect(nearest % 3).toBe(own % 3);
      }
    },
  );

  it("draws some of many inputs", async () => {
    const map = await mapInputs(heaps(2), 0, { most: 40 });
    expect(map?.inputs).toHaveLength(40);
    expect(Array.from(map?.inputs ?? [])).toEqual([...new Set(map?.inputs)].sort((a, b) => a - b));
    expect(map?.inputs.at(-1)).toBeGreaterThan(39);
  });

  it("is none of too few inputs, or of inputs that are all the same", async () => {
    expect(
      await mapInputs(
        { count: 3, batch: (start, rows) => Float32Array.from({ length: rows }, (_, i) => start + i) },
        0,
      ),
    ).toBeNull();
    expect(await mapInputs({ count: 30, batch: (_, rows) => new Float32Array(rows) }, 0)).toBeNull();
  });

  it("is drawn with names that cannot break out of it", () => {
    const map = { inputs: Int32Array.of(0, 2), x: Float64Array.of(0, 1), y: Float64Array.of(1, 0) };
    const evil = `</text><script>alert("x")</script>&'\u0000`;
    const panel = { title: evil, subtitle: "1 unit by zero", states: Uint8Array.of(0, 1, 2) };
    const svg = drawInputMap(map, Int32Array.of(0, 0, 1), [panel], [evil, "b"]);
    expect(svg).not.toContain("<script>");
    expect(svg).not.toContain("\u0000");
    expect(svg).toContain("&lt;/text&gt;");
    // Input 1, which is kept, is not on the map; inputs 0 and 2 are lost and gained.
    expect(svg).toContain('stroke="#d55e00" stroke-width="5"');
    expect(svg.match(/<path d="M8\.0 252\.0h0" stroke="#d55e00"/g)).toHaveLength(1);
    expect(svg.match(/<path d="M252\.0 8\.0h0" stroke="#0072b2"/g)).toHaveLength(1);
    // Well-formed: every tag that opens closes again.
    const open: string[] = [];
    for (const [, close, name = "", , own] of svg.matchAll(/<(\/?)([a-z]+)((?:"[^"]*"|[^>"])*?)(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!own) open.push(name);
    }
    expect(open).toEqual([]);
    expect(drawInputMap(map, Int32Array.of(0, 0, 1), [], null)).toContain("</svg>");
    expect(formatInputMap(map, Int32Array.of(5, 6, 7), null)).toBe("input,label,x,y\n0,5,0,1\n2,7,1,0\n");
  });
});

describe("states of inputs", () => {
  const bitsOf = (right: readonly number[]) => {
    const bits = new Uint8Array(2);
    writeBits(Uint8Array.from(right), right.length, bits);
    return bits;
  };

  it("tell lost, kept, gained and never right apart, and lost only jointly by the single lesions", () => {
    //                    lost kept gained jointly never; lost by one
    const before = bitsOf([1, 1, 0, 1, 0, 1, 0, 1, 1, 1]);
    const after = bitsOf([0, 1, 1, 0, 0, 0, 0, 1, 1, 1]);
    const one = bitsOf([0, 1, 0, 1, 0, 1, 1, 0, 1, 1]);
    const other = bitsOf([0, 1, 0, 1, 0, 0, 1, 1, 1, 1]);
    const states = statesOf(before, after, 10, [one, other]);
    expect(Array.from(states)).toEqual([0, 1, 2, 3, 4, 0, 4, 1, 1, 1]);
    expect(Array.from(countStates(states))).toEqual([2, 4, 1, 1, 2]);
    expect(Array.from(statesOf(before, after, 10))).toEqual([0, 1, 2, 0, 4, 0, 4, 1, 1, 1]);
  });

  it("go by most runs where lesions resample", () => {
    const bits = new Uint8Array(1);
    writeBits(Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 0, 1), 3, bits);
    expect(bits[0]).toBe(0b101);
  });
});
