import type { Section } from "../context.ts";

export const headline: Section = {
  id: "headline",
  title: "Overview",
  render: () => null,
};
