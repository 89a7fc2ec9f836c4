import { describe, expect, it } from "vitest";
import { nameIn, shared } from "../../../../../src/report/page/sections/map/layer-names.ts";

const NAMES = ["/model/blocks.0/fc/Gemm", "/model/blocks.1/fc/Gemm", "/model/blocks.11/fc/Gemm"];

describe("names of layers in little room", () => {
  const common = shared(NAMES);
  it.each([
    [500, NAMES[1], "/model/blocks.1/fc/Gemm"],
    [80, NAMES[1], "blocks.1"],
    [80, NAMES[2], "blocks.11"],
    [42, NAMES[2], "blo…11"],
    [1, NAMES[2], "b…"],
  ])("of %d pixels", (pixels, name = "", expected) => {
    expect(nameIn(pixels, name, common)).toBe(expected);
  });

  it("cut between whole letters, and never to nothing", () => {
    expect(nameIn(21, "a😀bc😀d", { start: 0, end: 0 })).toBe("a…d");
    expect(nameIn(21, "/same/", shared(["/same/", "/same/"]))).toBe("/…/");
  });
});

describe("what names share", () => {
  it.each([
    [["/a/x/c", "/a/y/c"], { start: 3, end: 2 }],
    [["hidden1", "hidden2"], { start: 0, end: 0 }],
    [["only"], { start: 0, end: 0 }],
    [[], { start: 0, end: 0 }],
    [["/a/", "/a/b/"], { start: 3, end: 0 }],
  ])("%j", (names, expected) => {
    expect(shared(names)).toEqual(expected);
  });
});
