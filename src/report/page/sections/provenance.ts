import type { Section } from "../context.ts";

export const provenance: Section = {
  id: "provenance",
  title: "Provenance",
  render: () => null,
};
