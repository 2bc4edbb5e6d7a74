import { createHash } from "node:crypto";
import { measureText, type WindowedText } from "../../evaluation/text.ts";
import { hashWindows } from "../../evaluation/windows.ts";
import type { Lanes } from "../../model/lanes.ts";
import type { BlockChanges } from "../../model/session.ts";
import type { OpenedModel } from "./open.ts";

/** What is measured of a model without some layers, on one text; the divergence with a base only. */
export interface VirtualCost {
  readonly perplexity: number;
  readonly standardError: number | null;
  readonly klDivergence?: number;
  readonly klStandardError?: number | null;
  readonly topAgreement?: number;
}

interface VirtualCostOptions extends Omit<BlockChanges, "skip"> {
  /** What kind of model runs in `lanes`, where that is another one; then it has a divergence without removals too. */
  readonly as?: string | undefined;
  /** The contexts that the changed model runs in; the opened model's own by default. */
  readonly lanes?: Lanes | undefined;
  /** Others, in which the model runs as it is beside it. */
  readonly base?: Lanes | undefined;
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/**
 * Measures an open model without some layers, nothing being written, unless it was measured before.
 * @throws RuntimeError, AbortedError, EvaluationError; UsageError `CACHE_UNWRITABLE`
 */
export async function costWithout(
  opened: OpenedModel,
  skip: readonly number[],
  text: WindowedText,
  { as, lanes = opened.lanes, base: beside, repairs = [], onProgress }: VirtualCostOptions = {},
): Promise<VirtualCost> {
  const base = as !== undefined || skip.length > 0 ? beside : undefined;
  const kept = await opened.kept();
  const onText = `on ${hashWindows(createHash("sha256"), text.windows).digest("hex")}`;
  const nameOf = (removed: readonly number[], kind?: string) =>
    `cost${kind === undefined ? "" : ` as ${kind}`} without ${removed} ${onText}`;
  const [name, nameAsItIs] = [nameOf(skip, as), nameOf([])];
  // What is added to the blocks has no name to be kept by.
  const isNamed = repairs.length === 0;
  const earlier = isNamed ? costIn(kept.get(name)) : undefined;
  if (earlier && (!base || earlier.klDivergence !== undefined)) return earlier;
  const scored = await measureText(lanes, text, { skip, repairs, base, onProgress });
  const { perplexity, standardError } = scored;
  const cost: VirtualCost = {
    perplexity,
    standardError,
    ...(scored.base && {
      klDivergence: scored.base.klDivergence.mean,
      klStandardError: scored.base.klDivergence.standardError,
      topAgreement: scored.base.topAgreement,
    }),
  };
  if (isNamed) await kept.add(name, cost);
  if (scored.base && !costIn(kept.get(nameAsItIs))) {
    const { perplexity: original, standardError: error } = scored.base;
    await kept.add(nameAsItIs, { perplexity: original, standardError: error });
  }
  return cost;
}

/** A cost as it was kept, or undefined for what is none. */
function costIn(value: unknown): VirtualCost | undefined {
  const isCost =
    typeof value === "object" &&
    value !== null &&
    "perplexity" in value &&
    Object.values(value).every((number) => number === null || Number.isFinite(number)) &&
    "klDivergence" in value === "topAgreement" in value;
  return isCost ? (value as VirtualCost) : undefined;
}
