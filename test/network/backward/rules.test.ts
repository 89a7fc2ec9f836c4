import { expect, it } from "vitest";
import { GRADIENT_RULES } from "../../../src/network/backward/rules.ts";
import { FOLLOWED_OPERATORS } from "../../../src/network/operators.ts";

it("has a rule for every operator whose units are followed, but for those that tell sizes", () => {
  const lacking = FOLLOWED_OPERATORS.filter((name) => !GRADIENT_RULES.has(name));
  expect(lacking).toEqual(["Shape", "Size"]);
});
