import type { Section } from "../context.ts";

export const quality: Section = {
  id: "quality",
  title: "Partition",
  render: () => null,
};
