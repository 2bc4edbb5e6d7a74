// The process in which llama.cpp runs, so that nothing else ends when llama.cpp ends its process.

import { addon, type NativeControl, type NativeModel, type NativeSession } from "../native/addon.ts";
import { withControl } from "../native/control.ts";
import { type CallContext, type Handlers, serve } from "../process/serve.ts";
import type { Handle, HostCalls } from "./host-calls.ts";
import { type Llama, loadLlama, reasonIn } from "./llama.ts";
import { idleProcessors } from "./threads.ts";

let llama: Llama;
const models = new Map<Handle, NativeModel>();
const sessions = new Map<Handle, NativeSession>();

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

function found<Item>(items: ReadonlyMap<Handle, Item>, handle: Handle): Item {
  const item = items.get(handle);
  if (item === undefined) throw new Error("it is closed");
  return item;
}
const sessionOf = (handle: Handle) => found(sessions, handle);

const handlers: Handlers<HostCalls> = {
  async open(_, gpu, rpc) {
    llama = await loadLlama(gpu, rpc);
    const { device, mathCores, release } = llama;
    return { device, mathCores, release };
  },
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
  tokenize: (context, model, text) =>
    run(context, (control) => found(models, model).tokenize(text, false, false, control)),
  async openSession(context, handle, model, options) {
    const session = new addon.Session(found(models, model), options);
    await llama.takeComplaints();
    await run(context, (control) => session.open(control));
    sessions.set(handle, session);
  },
  sumCosines: (context, session, tokens, first) =>
    run(context, (control) => sessionOf(session).sumCosines(tokens, first, control)),
  score: (context, session, tokens, { base, ...options }) =>
    run(context, (control) =>
      sessionOf(session).score(
        tokens,
        { ...options, base: base === undefined ? undefined : sessionOf(base) },
        control,
      ),
    ),
  logits: (context, session, tokens, changes) =>
    run(context, (control) => sessionOf(session).logits(tokens, changes, control)),
  time: (context, session, tokens, prompt, everyLogit) =>
    run(context, (control) => sessionOf(session).time(tokens, prompt, everyLogit, control)),
  stateNorms: (context, session, tokens) =>
    run(context, (control) => sessionOf(session).stateNorms(tokens, control)),
  fitFactors: (context, session, tokens, { original, ...options }) =>
    run(context, (control) =>
      sessionOf(session).fitFactors(tokens, { ...options, original: sessionOf(original) }, control),
    ),
  closeModel(_, model) {
    models.get(model)?.close();
    models.delete(model);
  },
  closeSession(_, session) {
    sessions.get(session)?.close();
    sessions.delete(session);
  },
  quantizeFile: (context, input, output, options) =>
    run(context, (control) => addon.quantizeFile(input, output, options, control)),
};

serve<HostCalls>(handlers);
