/**
 * Storage buffers from a pool. Sizes fall into classes an eighth of a power of two apart, so that a released buffer
 * soon finds another use; what is released beyond the cap is destroyed.
 */

/** A storage buffer on loan; `release()` gives it back. Its contents are undefined until written. */
export class DeviceBuffer {
  readonly label: string;
  /** Bytes asked for; kernels see an array of this size. */
  readonly sizeBytes: number;
  readonly buffer: GPUBuffer;
  #giveBack: ((isGood: boolean) => void) | null;

  constructor(label: string, sizeBytes: number, buffer: GPUBuffer, giveBack: (isGood: boolean) => void) {
    this.label = label;
    this.sizeBytes = sizeBytes;
    this.buffer = buffer;
    this.#giveBack = giveBack;
  }

  /** Gives the memory back to the pool; a second call does nothing. Work already submitted still sees the contents. */
  release(): void {
    this.#giveBack?.(true);
    this.#giveBack = null;
  }

  /** Gives back memory that is in an unknown state, so that nobody gets it again. */
  discard(): void {
    this.#giveBack?.(false);
    this.#giveBack = null;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Free bytes that a pool keeps. */
const POOL_BYTES = 256 * 2 ** 20;
/** Smallest buffer: bind groups refuse empty ones, and empty arrays share the code of all others. */
const SMALLEST_BYTES = 256;

/** Size of the class that `sizeBytes` falls into; at most `largest`. */
export function sizeClass(sizeBytes: number, largest: number): number {
  if (sizeBytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const step = Math.max(SMALLEST_BYTES, 2 ** (Math.floor(Math.log2(sizeBytes)) - 3));
  return Math.max(Math.min(Math.ceil(sizeBytes / step) * step, largest), sizeBytes);
}

/** Makes a buffer. Whether there is memory for it shows later: then `onFailure` is called. */
export type CreateBuffer = (sizeBytes: number, label: string, onFailure: () => void) => GPUBuffer;

/** Reuses the buffers of one usage. */
export class BufferPool {
  readonly #create: CreateBuffer;
  readonly #largest: number;
  readonly #cap: number;
  readonly #free = new Map<number, GPUBuffer[]>();
  /** Buffers that got no memory. */
  readonly #failed = new WeakSet<GPUBuffer>();
  readonly #destroy = (buffer: GPUBuffer): void => {
    buffer.destroy();
    this.#live--;
  };
  #freeBytes = 0;
  #live = 0;
  #lent = 0;

  /** `largest` is the most bytes a buffer may have, `cap` the most free bytes that are kept. */
  constructor(create: CreateBuffer, largest: number, cap: number = POOL_BYTES) {
    this.#create = create;
    this.#largest = largest;
    this.#cap = cap;
  }

  /** Buffers that exist, on loan or free. */
  get live(): number {
    return this.#live;
  }

  /** Buffers on loan. */
  get lent(): number {
    return this.#lent;
  }

  take(label: string, sizeBytes: number): DeviceBuffer {
    const size = sizeClass(sizeBytes, this.#largest);
    const kept = this.#free.get(size)?.pop();
    const buffer = kept ?? this.#make(label, size);
    if (kept !== undefined) {
      this.#freeBytes -= size;
      kept.label = label;
    }
    this.#lent++;
    return new DeviceBuffer(label, Math.max(4, sizeBytes), buffer, (isGood) => {
      this.#lent--;
      if (isGood && !this.#failed.has(buffer)) this.#keep(buffer, size);
      else this.#destroy(buffer);
    });
  }

  #make(label: string, size: number): GPUBuffer {
    const buffer = this.#create(size, label, () => {
      this.#failed.add(buffer);
      const free = this.#free.get(size) ?? [];
      if (!free.includes(buffer)) return;
      free.splice(free.indexOf(buffer), 1);
      this.#freeBytes -= size;
      this.#destroy(buffer);
    });
    this.#live++;
    return buffer;
  }

  #keep(buffer: GPUBuffer, size: number): void {
    if (this.#freeBytes + size > this.#cap) {
      this.#destroy(buffer);
      return;
    }
    this.#freeBytes += size;
    const kept = this.#free.get(size);
    if (kept === undefined) this.#free.set(size, [buffer]);
    else kept.push(buffer);
  }

  /** Destroys the free buffers. */
  clear(): void {
    for (const buffers of this.#free.values()) buffers.forEach(this.#destroy);
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
