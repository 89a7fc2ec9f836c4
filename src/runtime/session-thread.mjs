/** `session-thread.ts` where the sources run as they are: a thread does not inherit what compiles them. */
import { register } from "tsx/esm/api";

register();
await import("./session-thread.ts");
