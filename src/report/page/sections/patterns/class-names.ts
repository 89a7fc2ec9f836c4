import type { PatternsDocument } from "../../../patterns-document.ts";
import type { Context } from "../../context.ts";

/** Names of classes as the patterns' own file has them, else as the report has. */
export const classNaming =
  ({ classNames }: Pick<PatternsDocument, "classNames">, context: Pick<Context, "className">) =>
  (label: number): string =>
    classNames?.[label] ?? context.className(label);
