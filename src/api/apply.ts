import { rm } from "node:fs/promises";
import { planRewrite } from "../architecture/architecture.ts";
import type { CompensationChoice } from "../compensation/modes.ts";
import { storeFactors } from "../compensation/store.ts";
import { checkBlocks } from "../compensation/writers.ts";
import type { Compensation } from "../documents/compensation.ts";
import { checkLayers } from "../documents/files.ts";
import type { Plan } from "../documents/plan.ts";
import { LorpError, UsageError } from "../errors.ts";
import { checkOutput } from "../files/staged.ts";
import { temporaryName } from "../files/temporary.ts";
import { applyPlan } from "../surgery/apply.ts";
import { quantizeGguf } from "../surgery/quantize.ts";
import { checkOptions } from "./check-options.ts";
import { type DescribedModel, describeModel, openForCalibration } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import { type ModelRunOptions, RUN_OPTIONS, type WriteOptions } from "./stages/options.ts";
import { checkFiles, defaultOutput, FILE_OPTIONS, type FileOptions } from "./stages/output.ts";
import { outputMetadata } from "./stages/output-metadata.ts";
import { afterCut, planQuantization, type Quantization } from "./stages/quantization.ts";

/** A file that was written. */
export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** A file that a Plan was applied to. */
export interface Applied extends Written {
  /** What was done to make up for the removed layers, if anything was tried. */
  readonly compensation?: Compensation;
}

export interface ApplyOptions extends FileOptions, ModelRunOptions {
  /** How to make up for what the removed layers did; as the Plan says by default. */
  readonly compensate?: CompensationChoice | undefined;
}

const APPLY_OPTIONS: OptionNames<ApplyOptions> = { ...FILE_OPTIONS, ...RUN_OPTIONS, compensate: true };

/**
 * Writes the model that a Plan describes, without running it unless factors are to be found.
 * @throws UsageError when the Plan was made for another model; DocumentError when its layers do not add up
 * @throws GgufError, ArchitectureError, CompensationError, CalibrationError, RuntimeError, SurgeryError, AbortedError
 */
export async function apply(path: string, plan: Plan, options: ApplyOptions = {}): Promise<Applied> {
  checkOptions(options, APPLY_OPTIONS);
  const described = await describeModel(path, options.signal);
  checkModel(described, plan);
  await checkFiles(described.file.paths, outputOf(described, plan, options), options);
  const quantization = await planQuantization(described, options);
  const complete = await withFactors(described, plan, options);
  const written = await applyDescribed(described, complete, quantization, options);
  return { ...written, ...(complete.compensation && { compensation: complete.compensation }) };
}

async function withFactors(described: DescribedModel, plan: Plan, options: ApplyOptions): Promise<Plan> {
  const { compensate: choice } = options;
  if (choice === undefined) return plan;
  if (choice === "off") {
    const { compensation: _, ...plain } = plan;
    return plain;
  }
  const { compensate } = await import("./stages/compensate.ts");
  const opened = await openForCalibration(described, options);
  try {
    return await compensate(described, opened, plan, choice, options);
  } finally {
    opened.close();
  }
}

const outputOf = (described: DescribedModel, plan: Plan, { output, stem, quantize }: WriteOptions): string =>
  output ?? defaultOutput(stem ?? described.stem, plan, quantize);

/** As `apply`, on a file that has been read already. */
export async function applyDescribed(
  described: DescribedModel,
  plan: Plan,
  quantization: Quantization | undefined,
  options: WriteOptions,
): Promise<Written> {
  checkModel(described, plan);
  const output = outputOf(described, plan, options);
  if (quantization === undefined) return cut(described, plan, output, options);
  await checkOutput(output, described.file.paths, options.force ?? false);
  const unquantized = temporaryName(output);
  try {
    const { bytes: total } = await cut(described, plan, unquantized, options).catch((error: unknown) => {
      // The user knows the output alone.
      if (error instanceof LorpError) error.message = error.message.replaceAll(unquantized, output);
      throw error;
    });
    const { renameTensor } = planRewrite(described.file, plan.keptLayers);
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

/** Writes the kept blocks to `output`, in the types they have. */
async function cut(
  described: DescribedModel,
  plan: Plan,
  output: string,
  options: WriteOptions,
): Promise<Written> {
  const { file, architecture } = described;
  const { scaleTensors, signal } = options;
  const factors = plan.compensation?.factors ?? [];
  const rewrite = planRewrite(file, plan.keptLayers);
  const changes = await storeFactors(file, architecture.name, factors, {
    scales: rewrite.scales,
    scaleTensors,
    signal,
  });
  return applyPlan({
    model: file,
    rewrite,
    provenance: outputMetadata(described, plan, rewrite),
    changes: {
      ...changes,
      added: changes.added.map((tensor) => ({
        ...tensor,
        name: rewrite.renameTensor(tensor.name) ?? tensor.name,
      })),
    },
    output,
    force: options.force,
    split: { keepSplit: options.keepSplit, maxSize: options.splitMaxSize },
    signal,
    onProgress: (done, total) => options.onProgress?.({ stage: "write", done, total, unit: "bytes" }),
  });
}

function checkModel({ file, summary }: DescribedModel, plan: Plan): void {
  const input = file.paths[0]!;
  const { fingerprint } = plan.model;
  if (fingerprint !== undefined && fingerprint !== summary.fingerprint) {
    throw new UsageError(
      "PLAN_OTHER_MODEL",
      `The plan was made for another model than ${input} (its fingerprint differs); make a new plan from an analysis of this file.`,
    );
  }
  if (plan.model.blockCount !== summary.blockCount) {
    throw new UsageError(
      "PLAN_OTHER_MODEL",
      `The plan is for a model of ${plan.model.blockCount} blocks, but ${input} has ${summary.blockCount}; make a new plan from an analysis of this file.`,
    );
  }
  checkLayers(plan, "The plan");
  checkBlocks(plan.compensation?.factors ?? [], plan.keptLayers);
}
