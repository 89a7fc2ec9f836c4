/** The page that headless Chrome shows: runs the steps of an analysis on the browser's GPU. */
import { pageCalls } from "./page-calls.ts";
import { takeCalls } from "./take-calls.ts";

takeCalls(pageCalls);
