import type { Section } from "../context.ts";

export const patterns: Section = {
  id: "patterns",
  title: "Patterns",
  render: () => null,
};
