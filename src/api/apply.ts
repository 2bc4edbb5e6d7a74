import { planRewrite } from "../architecture/architecture.ts";
import type { Plan } from "../documents/plan.ts";
import { UsageError } from "../errors.ts";
import { applyPlan } from "../surgery/apply.ts";
import { provenance } from "../surgery/provenance.ts";
import { VERSION } from "../version.ts";
import { type DescribedModel, describeModel } from "./open.ts";
import type { Progress } from "./options.ts";
import { defaultOutput } from "./output.ts";

export interface WriteOptions {
  /** Where to write; beside the input under a name that says what was done, by default. */
  readonly output?: string | undefined;
  /** Replace an existing output. */
  readonly force?: boolean | undefined;
  /** Keep the parts of a split input instead of writing one file. */
  readonly keepSplit?: boolean | undefined;
  /** Divide the output into parts with at most this many bytes of tensors each. */
  readonly splitMaxSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A file that was written. */
export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes the model that a Plan describes, without running it.
 * @throws UsageError when the Plan was made for another model
 * @throws GgufError, ArchitectureError, SurgeryError, AbortedError
 */
export async function apply(path: string, plan: Plan, options: WriteOptions = {}): Promise<Written> {
  return applyDescribed(await describeModel(path, options.signal), plan, options);
}

/** As `apply`, on a file that has been read already. */
export async function applyDescribed(
  { file, summary }: DescribedModel,
  plan: Plan,
  options: WriteOptions,
): Promise<Written> {
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
  return applyPlan({
    model: file,
    rewrite: planRewrite(file, plan.keptLayers),
    provenance: provenance(plan, summary.fingerprint, VERSION),
    output: options.output ?? defaultOutput(input, plan),
    force: options.force,
    split: { keepSplit: options.keepSplit, maxSize: options.splitMaxSize },
    signal: options.signal,
    onProgress: (done, total) => options.onProgress?.({ stage: "write", done, total, unit: "bytes" }),
  });
}
