import type { Section } from "../context.ts";

export const map: Section = {
  id: "map",
  title: "Map",
  render: () => null,
};
