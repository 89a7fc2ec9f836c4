/** Width of a chart: `most`, or what the window has room for, so that letters keep their size on small screens. */
export const plotWidth = (most: number): number =>
  Math.max(280, Math.min(most, document.documentElement.clientWidth - 36));
