import { type CallOptions, type Process, ProcessDied, RemoteError, startProcess } from "../process/start.ts";
import { type Gpu, gpuTitle } from "./backends.ts";
import { RuntimeError, type RuntimeErrorCode } from "./errors.ts";
import type { GpuChoice } from "./gpu.ts";
import type { Handle, HostCalls, LlamaFacts } from "./host-calls.ts";

/**
 * llama.cpp in a process of its own. What a model's file makes it do ends that process at worst: a failed assertion, a
 * division by zero, memory that is not there.
 */
export interface Runtime extends LlamaFacts {
  /** Bytes of GPU memory that nothing uses; infinity where it is other machines'. */
  freeGpuMemory(): Promise<number>;
  /** Processors that other processes leave idle. */
  idleProcessors(): Promise<number>;
  /** Bytes of memory that its process has in use. */
  residentMemory(): Promise<number>;
  /** A handle that names nothing yet, in no runtime. */
  newHandle(): Handle;
  /**
   * @param about the file that the work is about, for messages
   * @throws RuntimeError `RUNTIME_MODEL` with llama.cpp's reason, `RUNTIME_CRASHED` with its last words; AbortedError
   */
  call<Name extends keyof HostCalls>(
    about: string,
    name: Name,
    args: Parameters<HostCalls[Name]>,
    options?: CallOptions,
  ): Promise<ReturnType<HostCalls[Name]>>;
  /** Ends the process, whatever it does. */
  end(): Promise<void>;
}

/** By what they compute on. One that has died is not used again. */
const opened = new Map<string, Promise<Runtime>>();

/**
 * Opens a runtime, once a process for each choice of devices.
 * @param rpc `host:port` of llama.cpp's RPC servers to compute on
 * @param onNotice told once, when it opens, which GPU is not used
 * @throws RuntimeError if no llama.cpp fits this machine, its release is not the addon's, a server cannot be reached, or
 *   a GPU asked for by name cannot compute
 */
export function openRuntime(
  gpu: GpuChoice = "auto",
  rpc: readonly string[] = [],
  onNotice?: (sentence: string) => void,
): Promise<Runtime> {
  const devices = [gpu, ...rpc].join();
  const known = opened.get(devices);
  if (known) return known;
  const runtime = startRuntime(gpu, rpc, () => opened.delete(devices)).then((started) => {
    if (started.notice !== undefined) onNotice?.(started.notice);
    return started;
  });
  opened.set(devices, runtime);
  return runtime;
}

/** Starts a runtime that nobody else uses, so that it can be ended at any time. @throws RuntimeError as `openRuntime` */
export async function startRuntime(
  gpu: GpuChoice = "auto",
  rpc: readonly string[] = [],
  onEnd: () => void = () => {},
): Promise<Runtime> {
  const host = startProcess<HostCalls>("model/host");
  let facts: LlamaFacts;
  try {
    facts = await host.call("open", [gpu, rpc]);
  } catch (error) {
    await host.end();
    throw explain(error, "its libraries");
  }
  const fault = facts.gpuNames.length > 0 && rpc.length === 0 ? await faultOfGpus(host) : undefined;
  if (fault === undefined) {
    void host.ended.then(onEnd);
    return { ...facts, ...serviceOf(host) };
  }
  await host.end();
  const sentence = `${gpuTitle(facts.device as Gpu)} finds ${facts.gpuNames.join(", ")}, but cannot compute there: ${fault}`;
  if (gpu !== "auto") {
    const message = `${sentence}; update the GPU's driver, or use \`gpu: "off"\`, which computes on the CPU.`;
    throw new RuntimeError("RUNTIME_NOT_FOUND", message);
  }
  const onCpu = await startRuntime("off", [], onEnd);
  return { ...onCpu, notice: `${sentence}: computing on the CPU. "lorp doctor" tells more.` };
}

/** Why GPUs that are found do not compute; undefined where they do. */
function faultOfGpus(host: Process<HostCalls>): Promise<string | undefined> {
  return host.call("checkGpus", []).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ProcessDied) return error.lastWords;
      if (error instanceof RemoteError) return error.message;
      throw error;
    },
  );
}

let handles = 0;

function serviceOf(host: Process<HostCalls>): Omit<Runtime, keyof LlamaFacts> {
  const call: Runtime["call"] = (about, name, args, options) =>
    host.call(name, args, options).catch((error: unknown) => {
      throw explain(error, about);
    });
  return {
    freeGpuMemory: () => call("the models that were open", "freeGpuMemory", []),
    idleProcessors: () => call("the models that were open", "idleProcessors", []),
    residentMemory: () => call("the models that were open", "residentMemory", []),
    newHandle: () => handles++,
    call,
    end: () => host.end(),
  };
}

/** What comes out of the other process as an error of ours; a fault of this program is passed on. */
function explain(error: unknown, about: string): unknown {
  if (error instanceof ProcessDied) return crashed(about, error);
  if (!(error instanceof RemoteError) || error.name === "TypeError") return error;
  // The codes there are those of RuntimeError.
  if (error.code !== undefined)
    return new RuntimeError(error.code as RuntimeErrorCode, error.message, { cause: error });
  return new RuntimeError("RUNTIME_MODEL", `llama.cpp cannot run ${about}: ${error.message}.`, {
    cause: error,
  });
}

/** The process that ran llama.cpp has ended. @param about the file that it worked on */
export function crashed(about: string, death: ProcessDied): RuntimeError {
  return new RuntimeError(
    "RUNTIME_CRASHED",
    `llama.cpp crashed while it ran ${about}: ${death.lastWords}; the file is damaged, or asks for something that this llama.cpp cannot do.`,
    { cause: death },
  );
}
