/** What a thread and the one that started it share: two numbers, 0 or 1. */

/** Whether it is at something. */
export const BUSY = 0;
/** Whether it is to begin nothing more. */
export const STOP = 1;
