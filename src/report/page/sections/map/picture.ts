/** A picture that can be zoomed, whatever draws it. */
export interface Picture {
  readonly element: HTMLElement;
  zoom(factor: number): void;
  /** Back to what was seen first. */
  reset(): void;
}
