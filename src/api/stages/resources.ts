import { measureSpeeds, type Speed } from "../../evaluation/speed.ts";
import { chooseThreads, openModel } from "../../model/model.ts";
import { openRuntime, startRuntime } from "../../model/runtime.ts";
import { type DescribedModel, fileBytes } from "./describe.ts";
import type { ModelRunOptions } from "./options.ts";

/** What running a file takes. */
export interface Resources {
  readonly path: string;
  readonly fileBytes: number;
  /** What loading and running it added to a process with llama.cpp alone; GPU memory is not in it. */
  readonly memoryBytes: number;
  readonly tokensPerSecond: Speed;
}

/**
 * Runs each model in a process of its own, so that no memory is counted that another has left behind, one after the
 * other, by the same number of threads.
 * @param tokens a prompt and what is generated after it
 * @throws RuntimeError, AbortedError
 */
export async function measureResources(
  models: readonly DescribedModel[],
  tokens: Int32Array,
  options: ModelRunOptions,
): Promise<Resources[]> {
  const threads = await threadsFor(options);
  const measured: Resources[] = [];
  for (const model of models) measured.push(await measure(model, tokens, { ...options, threads }));
  return measured;
}

/** Threads for models that are timed to be compared. */
export async function threadsFor({ gpu, rpc, threads }: ModelRunOptions): Promise<number> {
  return chooseThreads(await openRuntime(gpu, rpc), threads);
}

async function measure(
  { file, architecture }: DescribedModel,
  tokens: Int32Array,
  options: ModelRunOptions,
): Promise<Resources> {
  const path = file.paths[0]!;
  const runtime = await startRuntime(options.gpu, options.rpc);
  try {
    const before = await runtime.residentMemory();
    const model = await openModel(path, options, runtime);
    const session = model.openSession({ sequenceLength: tokens.length, states: architecture.states });
    const [tokensPerSecond] = await measureSpeeds([session], tokens);
    const memoryBytes = (await runtime.residentMemory()) - before;
    return { path, fileBytes: fileBytes(file), memoryBytes, tokensPerSecond: tokensPerSecond! };
  } finally {
    await runtime.end();
  }
}
