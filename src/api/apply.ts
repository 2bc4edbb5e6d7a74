import { rm } from "node:fs/promises";
import { checkLayers } from "../documents/files.ts";
import type { Plan } from "../documents/plan.ts";
import type { Repair } from "../documents/repair.ts";
import { LorpError, UsageError } from "../errors.ts";
import { checkOutput } from "../files/staged.ts";
import { temporaryName } from "../files/temporary.ts";
import type { RepairChoice } from "../repair/kinds.ts";
import { planRepaired, type RepairedRewrite } from "../repair/rewrite.ts";
import { dropPrediction, keepPrediction } from "../selection/plan.ts";
import { applyPlan } from "../surgery/apply.ts";
import { multiplyTensors } from "../surgery/multiply.ts";
import { quantizeGguf } from "../surgery/quantize.ts";
import { checkOptions } from "./check-options.ts";
import { type DescribedModel, describeModel } from "./stages/describe.ts";
import { openForCalibration } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import { type CacheOptions, type ModelRunOptions, RUN_OPTIONS, type WriteOptions } from "./stages/options.ts";
import { checkFiles, defaultOutput, FILE_OPTIONS, type FileOptions } from "./stages/output.ts";
import { outputMetadata } from "./stages/output-metadata.ts";
import { afterCut, planQuantization, type Quantization } from "./stages/quantization.ts";
import type { Repaired } from "./stages/repair.ts";

/** A file that was written. */
export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** A file that a Plan was applied to. */
export interface Applied extends Written {
  /** What linear maps gave back, if any were tried. */
  readonly repair?: Repair;
}

export interface ApplyOptions extends FileOptions, ModelRunOptions, Pick<CacheOptions, "cache"> {
  /** How to give back by linear maps what the removed layers did; as the Plan says by default. */
  readonly repair?: RepairChoice | undefined;
}

const APPLY_OPTIONS: OptionNames<ApplyOptions> = {
  ...FILE_OPTIONS,
  ...RUN_OPTIONS,
  cache: true,
  repair: true,
};

/**
 * Writes the model that a Plan describes, without running it unless a repair is to be fitted.
 * @throws UsageError when the Plan was made for another model; DocumentError when its layers do not add up
 * @throws GgufError, ArchitectureError, RepairError, CalibrationError, RuntimeError, OutputError,
 *   AbortedError
 * @example
 * ```ts
 * import { apply, plan, readAnalysis } from "lorp";
 *
 * const decided = plan(await readAnalysis("analysis.json"), { ratio: 0.25, method: "shortgpt" });
 * const { path, bytes } = await apply("model.gguf", decided, { output: "small.gguf" });
 * console.log(path, bytes);
 * ```
 */
export async function apply(path: string, plan: Plan, options: ApplyOptions = {}): Promise<Applied> {
  checkOptions(options, APPLY_OPTIONS);
  const described = await describeModel(path, options);
  await checkModel(described, plan);
  await checkFiles(described.file.paths, outputOf(described, plan, options), options);
  const quantization = await planQuantization(described, options);
  const complete = await makeUpInTrunk(described, plan, options);
  const written = await applyDescribed(described, complete, quantization, options);
  const { repair } = complete.plan;
  return { ...written, ...(repair && { repair }) };
}

/** As `makeUp`, of a Plan that may drop prediction layers too: nothing makes up for those, which do not run. */
async function makeUpInTrunk(
  described: DescribedModel,
  plan: Plan,
  options: ApplyOptions,
): Promise<Repaired> {
  const trunk = keepPrediction(plan);
  const made = await makeUp(described, trunk, options);
  return trunk === plan ? made : { ...made, plan: dropPrediction(made.plan) };
}

/** Fits the maps that the Plan or the options ask for; the model is run only where some are. */
async function makeUp(described: DescribedModel, plan: Plan, options: ApplyOptions): Promise<Repaired> {
  const { repair: planned, ...plain } = plan;
  const choice = options.repair;
  if (choice === "off" || (choice === undefined && !planned?.kind)) {
    return { plan: choice === "off" ? plain : plan, repair: undefined };
  }
  const { checkRepair } = await import("./stages/repair-possible.ts");
  checkRepair(described, choice);
  const opened = await openForCalibration(described, options);
  try {
    if (choice !== undefined) {
      const { repair } = await import("./stages/repair.ts");
      return await repair(described, opened, plain, choice, options);
    }
    const { repairAsPlanned } = await import("./stages/repair-as-planned.ts");
    return { plan, repair: await repairAsPlanned(described, opened, plan, options) };
  } finally {
    opened.close();
  }
}

const outputOf = (described: DescribedModel, plan: Plan, { output, stem, quantize }: WriteOptions): string =>
  output ?? defaultOutput(stem ?? described.stem, plan, quantize);

/** As `apply`, on a file that has been read already. */
export async function applyDescribed(
  described: DescribedModel,
  { plan, repair }: Repaired,
  quantization: Quantization | undefined,
  options: WriteOptions,
): Promise<Written> {
  await checkModel(described, plan);
  const output = outputOf(described, plan, options);
  const repaired = planRepaired(described.file, plan.keptLayers, repair);
  if (quantization === undefined) return cut(described, plan, repaired, output, options);
  await checkOutput(output, described.file.paths, options.force ?? false);
  const unquantized = temporaryName(output);
  try {
    const { bytes: total } = await cut(described, plan, repaired, unquantized, options).catch(
      (error: unknown) => {
        // The user knows the output alone.
        if (error instanceof LorpError) error.message = error.message.replaceAll(unquantized, output);
        throw error;
      },
    );
    const { renameTensor } = repaired.rewrite;
    const { type, imatrix, tensorTypes } = afterCut(quantization, renameTensor);
    const before = new Map(described.file.tensors.map(({ name }) => [renameTensor(name), name]));
    const bytes = await quantizeGguf(unquantized, output, type, {
      ...options,
      imatrix,
      tensorTypes,
      known: { path: described.file.paths[0]!, tensor: (name) => before.get(name) ?? name },
      onProgress: (done) =>
        options.onProgress?.({ stage: "quantize", done: done * total, total, unit: "bytes" }),
    });
    return { path: output, bytes };
  } finally {
    await rm(unquantized, { force: true });
  }
}

/** Writes the kept layers to `output`, in the types they have. */
async function cut(
  described: DescribedModel,
  plan: Plan,
  { rewrite, added, inserted }: RepairedRewrite,
  output: string,
  options: WriteOptions,
): Promise<Written> {
  const { file } = described;
  const { signal } = options;
  return applyPlan({
    model: file,
    rewrite,
    provenance: outputMetadata(described, plan, rewrite, await described.fingerprint(), { added, inserted }),
    changes: { transforms: await multiplyTensors(file, rewrite.scales, signal), added },
    output,
    force: options.force,
    split: { keepSplit: options.keepSplit, maxSize: options.splitMaxSize },
    signal,
    onProgress: (done, total) => options.onProgress?.({ stage: "write", done, total, unit: "bytes" }),
  });
}

async function checkModel({ file, summary, fingerprint }: DescribedModel, plan: Plan): Promise<void> {
  const input = file.paths[0]!;
  if (plan.model.blockCount !== summary.blockCount) {
    throw new UsageError(
      "PLAN_OTHER_MODEL",
      `The plan is for a model of ${plan.model.blockCount} layers, but ${input} has ${summary.blockCount}; make a new plan from an analysis of this file.`,
    );
  }
  checkLayers(plan, "The plan");
  const planned = plan.model.fingerprint;
  if (planned !== undefined && planned !== (await fingerprint())) {
    throw new UsageError(
      "PLAN_OTHER_MODEL",
      `The plan was made for another model than ${input} (its fingerprint differs); make a new plan from an analysis of this file.`,
    );
  }
}
