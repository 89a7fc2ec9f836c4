/** Dragging, pinching, wheel and keys on a map. */

export interface GestureTargets {
  /** By so many pixels. */
  pan(x: number, y: number): void;
  /** By a factor, around a point of the element (its middle where none is given). */
  zoom(factor: number, x?: number, y?: number): void;
  reset(): void;
  /** The pointer, without a button, at a point of the element; null = it left. */
  point(event: PointerEvent | null, x: number, y: number): void;
  /** A click that was no drag. */
  click(event: MouseEvent, x: number, y: number): void;
}

/** Pixels from which a press is a drag. */
const SLACK = 4;
const KEY_STEP = 60;
export const ZOOM_STEP = 1.4;

/** Listens on an element. The wheel zooms with Ctrl alone (a pinch on a touchpad comes as that), so that the page still scrolls. */
export function listenForGestures(element: HTMLElement, targets: GestureTargets): void {
  const pressed = new Map<number, { x: number; y: number }>();
  let isDragging = false;
  const at = (event: MouseEvent): { x: number; y: number } => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed.set(event.pointerId, at(event));
    if (pressed.size === 1) isDragging = false;
  });
  element.addEventListener("pointermove", (event) => {
    const now = at(event);
    const before = pressed.get(event.pointerId);
    if (before === undefined) {
      targets.point(event, now.x, now.y);
      return;
    }
    if (!isDragging && Math.hypot(now.x - before.x, now.y - before.y) < SLACK) return;
    if (!isDragging) {
      isDragging = true;
      targets.point(null, 0, 0);
      for (const pointer of pressed.keys()) element.setPointerCapture(pointer);
    }
    const other = [...pressed].find(([pointer]) => pointer !== event.pointerId)?.[1];
    if (other !== undefined) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      targets.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    const share = other === undefined ? 1 : 0.5;
    targets.pan(share * (now.x - before.x), share * (now.y - before.y));
    pressed.set(event.pointerId, now);
  });
  const release = (event: PointerEvent): void => void pressed.delete(event.pointerId);
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", (event) => {
    release(event);
    targets.point(null, 0, 0);
  });
  element.addEventListener("click", (event) => {
    const { x, y } = at(event);
    if (!isDragging) targets.click(event, x, y);
    isDragging = false;
  });
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { x, y } = at(event);
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 30;
      targets.zoom(Math.exp(-Math.max(-60, Math.min(60, pixels)) / 150), x, y);
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keyAction(event, targets);
    if (action === null) return;
    event.preventDefault();
    action();
  });
}

const distance = (one: { x: number; y: number }, other: { x: number; y: number }): number =>
  Math.hypot(one.x - other.x, one.y - other.y);

function keyAction({ key, shiftKey }: KeyboardEvent, targets: GestureTargets): (() => void) | null {
  if (key === "+" || key === "=") return () => targets.zoom(ZOOM_STEP);
  if (key === "-") return () => targets.zoom(1 / ZOOM_STEP);
  if (key === "0") return () => targets.reset();
  if (!shiftKey) return null;
  if (key === "ArrowLeft") return () => targets.pan(KEY_STEP, 0);
  if (key === "ArrowRight") return () => targets.pan(-KEY_STEP, 0);
  if (key === "ArrowUp") return () => targets.pan(0, KEY_STEP);
  if (key === "ArrowDown") return () => targets.pan(0, -KEY_STEP);
  return null;
}
