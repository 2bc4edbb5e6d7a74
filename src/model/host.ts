// The process in which llama.cpp runs, so that nothing else ends when llama.cpp ends its process.

import {
  addon,
  type NativeChanges,
  type NativeControl,
  type NativeModel,
  type NativeNormalEquations,
  type NativeSession,
} from "../native/addon.ts";
import { withControl } from "../native/control.ts";
import { type CallContext, type Handlers, serve } from "../process/serve.ts";
import type { Handle, HostCalls, HostChanges } from "./host-calls.ts";
import { isGeneral, type Llama, loadLlama, reasonIn } from "./llama.ts";
import { largestStored } from "./magnitude.ts";
import { idleProcessors } from "./threads.ts";

let llama: Llama;
const models = new Map<Handle, NativeModel>();
const sessions = new Map<Handle, NativeSession>();
const sums = new Map<Handle, NativeNormalEquations>();
const maps = new Map<Handle, Float32Array>();

/** Runs the addon's work; where it fails, the error says what llama.cpp itself complained of. */
function run<Result>(
  { signal, report }: CallContext,
  work: (control: NativeControl) => Promise<Result>,
): Promise<Result> {
  return withControl(signal, work, report).catch(explain);
}

async function explain(error: unknown): Promise<never> {
  const complaints = await llama.takeComplaints();
  if (error instanceof Error && !("code" in error) && complaints.length > 0) {
    error.message = reasonIn(complaints);
  }
  throw error;
}

/** Nothing but sums that have no solution makes the solving fail of itself. */
function explainSolution(error: unknown): never {
  if (!(error instanceof Error) || "code" in error) throw error;
  const message = `No map can be fitted to make up for the removed layers: ${error.message}; use \`repair: "off"\`, or another \`calibration\`.`;
  throw Object.assign(new Error(message), { code: "REPAIR_SINGULAR" });
}

function found<Item>(items: ReadonlyMap<Handle, Item>, handle: Handle): Item {
  const item = items.get(handle);
  if (item === undefined) throw new Error("it is closed");
  return item;
}
const sessionOf = (handle: Handle) => found(sessions, handle);
const sumsOf = (handle: Handle) => found(sums, handle);
const ifAny = <Item>(find: (handle: Handle) => Item, handle: Handle | undefined) =>
  handle === undefined ? undefined : find(handle);

function changesOf<Changes extends HostChanges>(changes: Changes): Omit<Changes, "repairs"> & NativeChanges {
  const repairs = changes.repairs?.map(({ map, ...repair }) => ({ ...repair, map: found(maps, map) }));
  return { ...changes, repairs };
}

const handlers: Handlers<HostCalls> = {
  async open(_, gpu, rpc) {
    llama = await loadLlama(gpu, rpc);
    const { device, gpuNames, notice, mathCores, release } = llama;
    return { device, gpuNames, notice, mathCores, release };
  },
  checkGpus: (context) => run(context, (control) => addon.checkGpus(control)),
  freeGpuMemory: () => llama.freeGpuMemory(),
  idleProcessors: () => idleProcessors(),
  residentMemory: () => process.memoryUsage.rss(),
  async loadModel(context, handle, path, options) {
    const model = new addon.Model();
    await llama.takeComplaints();
    await run(context, (control) => model.load(path, options, control));
    models.set(handle, model);
    return model.info();
  },
  tokenBytes: (_, model) => found(models, model).tokenBytes(),
  chatPrompt: (_, model, question) => found(models, model).chatPrompt(question),
  text: (_, model, tokens) => found(models, model).text(tokens),
  tokenize: (context, model, text, special) =>
    run(context, (control) => found(models, model).tokenize(text, false, special, control)),
  async openSession(context, handle, model, options) {
    const session = new addon.Session(found(models, model), options);
    await llama.takeComplaints();
    await run(context, (control) => session.open(control));
    sessions.set(handle, session);
  },
  sumCosines: (context, session, tokens, first) =>
    run(context, (control) => sessionOf(session).sumCosines(tokens, first, control)),
  score: (context, session, tokens, { base, baseChanges, ...options }) =>
    run(context, (control) =>
      sessionOf(session).score(
        tokens,
        {
          ...changesOf(options),
          base: ifAny(sessionOf, base),
          baseChanges: baseChanges && changesOf(baseChanges),
        },
        control,
      ),
    ),
  logits: (context, session, tokens, changes) =>
    run(context, (control) => sessionOf(session).logits(tokens, changesOf(changes), control)),
  embeddings: (context, session, tokens, changes) =>
    run(context, (control) => sessionOf(session).embeddings(tokens, changesOf(changes), control)),
  generate: (context, session, prompts, length, seed, changes) =>
    run(context, (control) =>
      sessionOf(session).generate(prompts, length, seed, changesOf(changes), control),
    ),
  time: (context, session, tokens, prompt, everyLogit) =>
    run(context, (control) => sessionOf(session).time(tokens, prompt, everyLogit, control)),
  stateNorms: (context, session, tokens) =>
    run(context, (control) => sessionOf(session).stateNorms(tokens, control)),
  openSums(_, handle, features, targets) {
    sums.set(handle, new addon.NormalEquations(features, targets));
  },
  gather: (context, session, tokens, { original, product, normalized, ...options }) =>
    run(context, (control) =>
      sessionOf(session).gather(
        tokens,
        {
          ...changesOf(options),
          original: ifAny(sessionOf, original),
          product: ifAny(sumsOf, product),
          normalized: ifAny(sumsOf, normalized),
        },
        control,
      ),
    ),
  solve: (context, handle, ridge, threads) =>
    run(context, (control) => sumsOf(handle).solve(ridge, threads, control)).catch(explainSolution),
  quantize: (_, ...args) => addon.quantize(...args),
  dequantize: (_, ...args) => addon.dequantize(...args),
  meanSquares: (_, handle) => sumsOf(handle).meanSquares(),
  keepMap(_, handle, values) {
    maps.set(handle, values);
  },
  closeSums(_, handle) {
    sums.get(handle)?.close();
    sums.delete(handle);
  },
  dropMap(_, handle) {
    maps.delete(handle);
  },
  closeModel(_, model) {
    models.get(model)?.close();
    models.delete(model);
  },
  closeSession(_, session) {
    sessions.get(session)?.close();
    sessions.delete(session);
  },
  largestStored: (_, values) => largestStored(values, (type, bytes) => addon.dequantize(type, bytes)),
  quantizeFile: ({ signal, report }, input, output, options) =>
    withControl(signal, (control) => addon.quantizeFile(input, output, options, control), report).catch(
      // It says itself what failed, and at which tensor, but for a file that cannot be read.
      (error: Error) => (isGeneral(error.message) ? explain(error) : Promise.reject(error)),
    ),
};

serve<HostCalls>(handlers);
