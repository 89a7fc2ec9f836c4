import type { Section } from "../context.ts";

export const lesions: Section = {
  id: "lesions",
  title: "Lesions",
  render: () => null,
};
