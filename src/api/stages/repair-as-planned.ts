import type { Plan } from "../../documents/plan.ts";
import { GGML_TYPES } from "../../gguf/ggml-types.ts";
import { gatherEquations, type Mended } from "../../repair/equations.ts";
import { RepairError } from "../../repair/errors.ts";
import { mendAsBefore } from "../../repair/fit.ts";
import { behindLast, gapsOf } from "../../repair/gaps.ts";
import type { RepairKind } from "../../repair/kinds.ts";
import { mapsOf, release, storedOf } from "../../repair/mended.ts";
import { KINDS } from "../../repair/places.ts";
import type { StoredRepair } from "../../repair/rewrite.ts";
import type { DescribedModel } from "./describe.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { impossible, possibleIn } from "./repair-possible.ts";
import { fittedOn, withRemoval } from "./with-removal.ts";

/**
 * Fits the maps that a Plan tells of anew, on the text that they were fitted on; nothing is measured.
 * @throws RepairError for another text or model; RuntimeError, AbortedError
 */
export async function repairAsPlanned(
  described: DescribedModel,
  opened: OpenedModel,
  plan: Plan,
  options: ModelRunOptions,
): Promise<StoredRepair | undefined> {
  if (!plan.repair?.kind) return undefined;
  const { kind, calibration, tokens: all, sampled = 0, tried } = plan.repair;
  const now = await fittedOn(opened);
  // What the model writes may be a little different on another machine.
  const tokens = all - sampled;
  if (now.calibration.sha256 !== calibration.sha256 || now.tokens !== tokens) {
    throw new RepairError(
      "REPAIR_OTHER_TEXT",
      `The plan's repair was fitted on ${tokens} tokens of the text "${calibration.name}" (SHA-256 ${calibration.sha256}), and this is ${now.tokens} tokens of "${now.calibration.name}": give the same \`calibration\`, \`sequences\` and \`sequenceLength\`, or choose a \`repair\`, which is fitted and measured anew.`,
    );
  }
  const told = tried.find((one) => one.kind === kind)?.gaps ?? [];
  const gaps = gapsOf(plan.removedLayers);
  const behind = behindLast(gaps, described.architecture.analysedBlocks);
  const maps = told.flatMap((entry) => {
    const gap = entry.behind ? behind : gaps.find(({ before }) => before === entry.after);
    const as: RepairKind = entry.behind ? "refit" : kind;
    return gap?.before === entry.after ? [{ ...entry, gap, kind: as }] : [];
  });
  if (maps.length === 0 || maps.length < told.length) {
    throw new RepairError(
      "REPAIR_IMPOSSIBLE",
      'The plan\'s repair is of other gaps than its removed layers leave; make the plan again, or use `repair: "off"`.',
    );
  }
  for (const { gap, kind } of maps) {
    const [refused] = possibleIn(described, opened, [gap], [kind]).refused;
    if (refused) throw impossible(kind, refused.reason);
  }
  return withRemoval(described, opened, plan, [kind], gaps, options, async (removal) => {
    const mended: Mended[] = [];
    for (const { gap, kind, ridge, type } of maps) {
      const [equations] = await gatherEquations(removal, gap, [KINDS[kind].place(described, gap)], mended);
      try {
        mended.push(await mendAsBefore(removal, equations!, { ridge, type: numberOf(type) }));
      } finally {
        equations!.sums.close();
      }
    }
    release(mapsOf(mended));
    return storedOf(mended);
  });
}

function numberOf(typeName: string): number {
  const found = [...GGML_TYPES].find(([, { name }]) => name === typeName);
  if (found) return found[0];
  throw new RepairError(
    "REPAIR_IMPOSSIBLE",
    `The plan names a tensor type that there is not, ${typeName}; make the plan again.`,
  );
}
