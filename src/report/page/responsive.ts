/** Pictures that are drawn anew when the page becomes wider or narrower. */

/**
 * Draws into `box` as soon as its width is known, and whenever it changes. The function that comes back draws again.
 *
 * @example
 * const redraw = drawByWidth(box, (width) => plot(width));
 */
export function drawByWidth(box: HTMLElement, draw: (width: number) => Element): () => void {
  let drawnAt = 0;
  const redraw = (): void => {
    if (drawnAt > 0) box.replaceChildren(draw(drawnAt));
  };
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    // Nothing where the page hides it; a scroll bar that comes and goes is no change.
    if (width === 0 || Math.abs(width - drawnAt) < 20) return;
    drawnAt = width;
    redraw();
  }).observe(box);
  return redraw;
}
