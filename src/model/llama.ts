import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Llama as NodeLlama } from "node-llama-cpp";
import { variable } from "../environment.ts";
import { addon } from "../native/addon.ts";
import { withControl } from "../native/control.ts";
import { type Gpu, gpuTitle, isInstalled, packageOf, whyUnused } from "./backends.ts";
import { RuntimeError } from "./errors.ts";
import type { GpuChoice } from "./gpu.ts";

/** llama.cpp in this process, loaded by node-llama-cpp with its backends registered, and the addon attached to it. */
export interface Llama extends Omit<LoadedLibraries, "llama"> {
  /** What computes: `cuda`, `vulkan`, `metal`, `cpu`, or other machines by `rpc`. */
  readonly device: "cuda" | "vulkan" | "metal" | "cpu" | "rpc";
  /** Threads worth using for matrix products on this machine. */
  readonly mathCores: number;
  /** Bytes of GPU memory that nothing uses; none is known of other machines'. */
  freeGpuMemory(): Promise<number>;
  /** llama.cpp's release, e.g. `v0.5.0`. */
  readonly release: string;
}

/** Where scripts/build-rpc.sh puts the RPC backend, unless the environment names another place. */
const RPC_BACKEND =
  variable("LORP_RPC_BACKEND") ??
  fileURLToPath(
    new URL(`../../build/rpc/libggml-rpc.${process.platform === "darwin" ? "dylib" : "so"}`, import.meta.url),
  );

/** How long a server may take to accept a connection, milliseconds. */
const ANSWER_TIME = 10_000;

/**
 * Loads llama.cpp into this process, where it stays, for one choice of devices.
 * @param rpc `host:port` of llama.cpp's RPC servers to compute on
 * @throws RuntimeError if no llama.cpp fits this machine, its release is not the addon's, or a server cannot be reached
 */
export async function loadLlama(gpu: GpuChoice = "auto", rpc: readonly string[] = []): Promise<Llama> {
  if (rpc.length > 0) await requireServers(rpc);
  const { llama, gpuNames, notice, takeComplaints } = await loadLibraries(gpu);
  try {
    addon.attach();
  } catch (error) {
    throw new RuntimeError(
      "RUNTIME_ATTACH",
      `Cannot attach to llama.cpp: ${error instanceof Error ? error.message : String(error)}; reinstall lorp.`,
      { cause: error },
    );
  }
  if (rpc.length > 0) await connect(rpc);
  const own = gpuNames.length === 0 || llama.gpu === false ? "cpu" : llama.gpu;
  return {
    device: rpc.length > 0 ? "rpc" : own,
    gpuNames,
    notice,
    mathCores: llama.cpuMathCores,
    release: addon.release,
    freeGpuMemory: async () =>
      rpc.length > 0 ? Number.POSITIVE_INFINITY : (await llama.getVramState()).free,
    takeComplaints,
  };
}

export interface LoadedLibraries {
  readonly llama: NodeLlama;
  /** What the GPUs that compute are called; none on the CPU. */
  readonly gpuNames: readonly string[];
  /** Under `auto`: a sentence on each kind of GPU that this system has and that is not used, and why. */
  readonly notice: string | undefined;
  /** The errors that llama.cpp has logged since the previous call. */
  takeComplaints(): Promise<readonly string[]>;
}

/**
 * Lets node-llama-cpp load llama.cpp into this process. A GPU that was asked for by name is used or refused; `auto` goes
 * on with what there is, and says so.
 * @throws RuntimeError `RUNTIME_NOT_FOUND`
 */
export async function loadLibraries(gpu: GpuChoice): Promise<LoadedLibraries> {
  let complaints: string[] = [];
  const { getLlama, getLlamaGpuTypes, LlamaLogLevel } = await import("node-llama-cpp");
  const supported = (await getLlamaGpuTypes("supported")).filter((type) => type !== false);
  const unused = (type: Gpu, empty: boolean) => {
    const facts = { supported: supported.includes(type), installed: isInstalled(packageOf(type)), empty };
    return `${gpuTitle(type)} ${whyUnused(type, facts)}`;
  };
  const llama = await getLlama({
    gpu: gpu === "off" ? false : gpu,
    build: "never",
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    logger: (_level, message) => complaints.push(message.trim()),
  }).catch((cause: unknown) => {
    throw gpuMissing(gpu === "auto" || gpu === "off" ? undefined : unused(gpu, false), cause);
  });
  const gpuNames = llama.gpu === false ? [] : await llama.getGpuDeviceNames();
  const used = gpuNames.length > 0 && llama.gpu;
  if (gpu !== "auto" && gpu !== "off" && used !== gpu) throw gpuMissing(unused(gpu, llama.gpu === gpu));
  const better = used ? supported.slice(0, supported.indexOf(used)) : supported;
  const reasons = better.map((type) => unused(type, llama.gpu === type));
  const notice =
    gpu === "auto" && reasons.length > 0
      ? `${reasons.join("; ")}: computing on ${used ? gpuTitle(used) : "the CPU"}. "lorp doctor" tells more.`
      : undefined;
  return {
    llama,
    gpuNames,
    notice,
    async takeComplaints() {
      // The log arrives through the event loop, after the call that failed.
      await new Promise((resolve) => setImmediate(resolve));
      const taken = complaints;
      complaints = [];
      return taken;
    },
  };
}

/** @param why the GPU that was asked for by name is not used; undefined where even the CPU's llama.cpp is not there */
function gpuMissing(why: string | undefined, cause?: unknown): RuntimeError {
  const message =
    why === undefined
      ? `No llama.cpp for this machine is installed; install ${packageOf(undefined)}, or reinstall without omitting optional packages.`
      : `${why}; \`gpu: "off"\` computes on the CPU.`;
  return new RuntimeError("RUNTIME_NOT_FOUND", message, { cause });
}

/** What llama.cpp logs when it gives up, whatever the reason was. */
const GENERAL = /failed to load model|failed to initialize the context$/;

/** Whether a message says that llama.cpp gave up, and not why. */
export function isGeneral(message: string): boolean {
  return GENERAL.test(message);
}

/**
 * The reason in the errors that llama.cpp has logged:
 * `llama_model_load: error loading model: missing tensor 'x'` → `missing tensor 'x'`
 */
export function reasonIn(complaints: readonly string[]): string {
  const particular = complaints.filter((line) => line !== "" && !isGeneral(line));
  const lines = (particular.length > 0 ? particular : complaints).map((line) =>
    line.replace(/^\w+: (error loading model: )?/, ""),
  );
  return [...new Set(lines)].join("; ");
}

/** Before anything is loaded: llama.cpp would end the process. */
async function requireServers(servers: readonly string[]): Promise<void> {
  if (!existsSync(RPC_BACKEND)) {
    throw new RuntimeError(
      "RUNTIME_RPC_BACKEND",
      `There is no RPC backend at ${RPC_BACKEND}: build it with scripts/build-rpc.sh (docs/rpc.md), or name it in LORP_RPC_BACKEND.`,
    );
  }
  await Promise.all(servers.map(requireAnswer)).catch((error: unknown) => refuseServers(servers, error));
}

function connect(servers: readonly string[]): Promise<void> {
  return withControl(undefined, (control) => addon.addRpcServers(RPC_BACKEND, servers, control)).catch(
    (error: unknown) => refuseServers(servers, error),
  );
}

function refuseServers(servers: readonly string[], cause: unknown): never {
  throw new RuntimeError(
    "RUNTIME_RPC_SERVER",
    `Cannot compute on ${servers.join(", ")}: ${cause instanceof Error ? cause.message : String(cause)}; start rpc-server there (docs/rpc.md).`,
    { cause },
  );
}

/** @param server `host:port` @throws what Node says of a server that does not accept a connection */
async function requireAnswer(server: string): Promise<void> {
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(server) ?? [];
  if (host === "") throw new Error(`"${server}" is not host:port`);
  const socket = connectSocket({ host, port: Number(port), timeout: ANSWER_TIME });
  socket.on("timeout", () => socket.destroy(new Error(`no answer from ${server}`)));
  await once(socket, "connect");
  socket.destroy();
}
