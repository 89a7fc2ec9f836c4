/** Names of drawings for who does not see them. */

/**
 * Gives an SVG element its role and name: what it shows, and the main finding. Plot names the groups inside, which have no
 * role that could bear a name: those names go.
 */
export function nameDrawing(svg: Element, name: string, role: "img" | "group" = "img"): void {
  svg.setAttribute("role", role);
  svg.setAttribute("aria-label", name);
  for (const part of svg.querySelectorAll("g[aria-label]")) {
    part.removeAttribute("aria-label");
    part.removeAttribute("aria-description");
  }
}
