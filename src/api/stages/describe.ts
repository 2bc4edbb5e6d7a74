import { checkClusters } from "../../analysis/complete.ts";
import { describeArchitecture } from "../../architecture/architecture.ts";
import { keepPattern } from "../../architecture/pattern.ts";
import { checkBlockCount } from "../../architecture/preconditions.ts";
import type { Architecture } from "../../architecture/types.ts";
import type { ModelSummary } from "../../documents/model.ts";
import { readGguf } from "../../gguf/read.ts";
import type { GgufFile, TensorInfo } from "../../gguf/types.ts";
import { fingerprint } from "../../provenance/fingerprint.ts";
import { outputStem } from "../../sources/resolve.ts";
import { once } from "./once.ts";
/** A model file and what its architecture says, without llama.cpp. */
export interface DescribedModel {
  readonly file: GgufFile;
  readonly architecture: Architecture;
  readonly summary: ModelSummary;
  /** What tells the model from any other, made of all its bytes when it is first asked for. */
  fingerprint(): Promise<string>;
  /** What the names of files made from it begin with, unless the user says. */
  readonly stem: string;
}

/** What of a command's options bears on how a model is described. */
export interface DescribeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly patternSafe?: boolean | undefined;
  readonly clusters?: number | undefined;
}

/**
 * Reads a model's header.
 * @throws GgufError, ArchitectureError; UsageError `CLUSTERS_INVALID` for more clusters than layers
 */
export async function describeModel(
  path: string,
  { signal, patternSafe = false, clusters }: DescribeOptions = {},
): Promise<DescribedModel> {
  const described = await describeFile(path, signal);
  if (clusters !== undefined) checkClusters(clusters, described.architecture.analysedBlocks);
  return patternSafe ? withPattern(described) : described;
}

async function describeFile(path: string, signal: AbortSignal | undefined): Promise<DescribedModel> {
  const file = await readGguf(path, { signal });
  const architecture = describeArchitecture(file);
  checkBlockCount(file);
  const text = (key: string) => {
    const entry = file.metadata.get(key);
    return entry?.type === "string" ? String(entry.decode().value) : undefined;
  };
  const embeddingLength = Number(file.metadata.get(`${architecture.name}.embedding_length`)?.decode().value);
  const name = text("general.name");
  return {
    file,
    fingerprint: once(() => fingerprint(file, signal)),
    architecture,
    stem: await outputStem(file.paths[0]!),
    summary: {
      architecture: architecture.name,
      ...(name === undefined ? {} : { name }),
      blockCount: architecture.blockCount,
      analysedBlocks: architecture.analysedBlocks,
      ...(architecture.states.loops > 1 && { loops: architecture.states.loops }),
      ...(Number.isInteger(embeddingLength) ? { embeddingLength } : {}),
      parameters: countParameters(file),
      fileBytes: fileBytes(file),
      constraints: architecture.constraints,
    },
  };
}

/** The model with constraints that keep its sliding-window pattern in place. */
function withPattern(described: DescribedModel): DescribedModel {
  const { architecture } = described;
  const summary = keepPattern(described.summary);
  return { ...described, summary, architecture: { ...architecture, constraints: summary.constraints } };
}

/** A model as documents name it. */
export async function identified(described: DescribedModel): Promise<ModelSummary> {
  return { fingerprint: await described.fingerprint(), ...described.summary };
}

/** Number of weights in all tensors. */
export function countParameters({
  tensors,
}: {
  readonly tensors: readonly Pick<TensorInfo, "shape">[];
}): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((product, ne) => product * ne, 1), 0);
}

/** Bytes of the file, or of all parts of a split one. */
export function fileBytes(file: GgufFile): number {
  return file.sizes.reduce((sum, size) => sum + size, 0);
}
