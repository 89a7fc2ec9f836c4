import type { Section } from "../context.ts";

export const scoreboard: Section = {
  id: "scoreboard",
  title: "Scoreboard",
  render: () => null,
};
