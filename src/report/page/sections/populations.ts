import type { Section } from "../context.ts";

export const populations: Section = {
  id: "populations",
  title: "Populations",
  render: () => null,
};
