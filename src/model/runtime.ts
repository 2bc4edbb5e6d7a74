import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { fileURLToPath } from "node:url";
import { addon } from "../native/addon.ts";
import { withControl } from "../native/control.ts";
import { RuntimeError } from "./errors.ts";
import type { GpuChoice } from "./gpu.ts";

/** llama.cpp, loaded by node-llama-cpp with its backends registered, and the addon attached to it. */
export interface Runtime {
  /** What computes: `cuda`, `vulkan`, `metal`, `cpu`, or other machines by `rpc`. */
  readonly device: "cuda" | "vulkan" | "metal" | "cpu" | "rpc";
  /** Threads worth using for matrix products on this machine. */
  readonly mathCores: number;
  /** Bytes of GPU memory that nothing uses; none is known of other machines'. */
  freeGpuMemory(): Promise<number>;
  /** llama.cpp's release, e.g. `v0.5.0`. */
  readonly release: string;
  /** The last thing llama.cpp complained of since the previous call. */
  takeComplaint(): Promise<string | undefined>;
}

/** Where scripts/build-rpc.sh puts the RPC backend, unless the environment names another place. */
const RPC_BACKEND =
  process.env.LORP_RPC_BACKEND ??
  fileURLToPath(
    new URL(`../../build/rpc/libggml-rpc.${process.platform === "darwin" ? "dylib" : "so"}`, import.meta.url),
  );

/** How long a server may take to accept a connection, milliseconds. */
const ANSWER_TIME = 10_000;

let opened: { devices: string; runtime: Promise<Runtime> } | undefined;
/** Whether llama.cpp is in this process, where it stays. */
let loaded = false;

/**
 * Opens the runtime once a process.
 * @param rpc `host:port` of llama.cpp's RPC servers to compute on
 * @throws RuntimeError if no llama.cpp fits this machine, its release is not the addon's, a server cannot be reached,
 *   or the process has already opened it for other devices
 */
export function openRuntime(gpu: GpuChoice = "auto", rpc: readonly string[] = []): Promise<Runtime> {
  const devices = [`GPU "${gpu}"`, ...rpc].join(", ");
  if (opened && opened.devices !== devices) {
    throw new RuntimeError(
      "RUNTIME_GPU_FIXED",
      `llama.cpp already runs with ${opened.devices} in this process, so ${devices} needs a process of its own.`,
    );
  }
  opened ??= { devices, runtime: load(gpu, rpc).catch(forget) };
  return opened.runtime;
}

/** Lets a later call try again, as long as nothing has been loaded. */
function forget(error: unknown): never {
  if (!loaded) opened = undefined;
  throw error;
}

async function load(gpu: GpuChoice, rpc: readonly string[]): Promise<Runtime> {
  if (rpc.length > 0) await requireServers(rpc);
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  let complaint: string | undefined;
  const llama = await getLlama({
    gpu: gpu === "off" ? false : gpu,
    build: "never",
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    logger: (_level, message) => {
      complaint = message.trim();
    },
  }).catch((error: unknown) => {
    throw new RuntimeError(
      "RUNTIME_NOT_FOUND",
      `No llama.cpp for GPU "${gpu}" is installed for this machine; try --gpu off, or reinstall without omitting optional packages.`,
      { cause: error },
    );
  });
  loaded = true;
  const release = llama.llamaCppRelease.release;
  if (release !== addon.release) {
    throw new RuntimeError(
      "RUNTIME_RELEASE",
      `node-llama-cpp has loaded llama.cpp ${release}, but lorp was compiled for ${addon.release}; reinstall lorp so that both agree.`,
    );
  }
  try {
    addon.attach(libraryNames(release));
  } catch (error) {
    throw new RuntimeError(
      "RUNTIME_ATTACH",
      `Cannot attach to llama.cpp ${release}: ${error instanceof Error ? error.message : String(error)}; reinstall lorp.`,
      { cause: error },
    );
  }
  if (rpc.length > 0) await connect(rpc);
  const own = llama.gpu === false ? "cpu" : llama.gpu;
  return {
    device: rpc.length > 0 ? "rpc" : own,
    mathCores: llama.cpuMathCores,
    release,
    freeGpuMemory: async () =>
      rpc.length > 0 ? Number.POSITIVE_INFINITY : (await llama.getVramState()).free,
    async takeComplaint() {
      // The log arrives through the event loop, after the call that failed.
      await new Promise((resolve) => setImmediate(resolve));
      const taken = complaint;
      complaint = undefined;
      return taken;
    },
  };
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

/** File names of the runtime's libraries; node-llama-cpp puts the release into the names of those it builds. */
function libraryNames(release: string): string[] {
  const [prefix, suffix] =
    process.platform === "win32" ? ["", "dll"] : ["lib", process.platform === "darwin" ? "dylib" : "so"];
  return ["llama", "ggml", "ggml-base"].flatMap((name) => [
    `${prefix}${name}.${release}.${suffix}`,
    `${prefix}${name}.${suffix}`,
  ]);
}
