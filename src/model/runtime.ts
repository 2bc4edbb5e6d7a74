import { addon } from "../native.ts";
import { RuntimeError } from "./errors.ts";
import type { GpuChoice } from "./gpu.ts";

/** llama.cpp, loaded by node-llama-cpp with its backends registered, and the addon attached to it. */
export interface Runtime {
  /** What computes: `cuda`, `vulkan`, `metal`, or `cpu`. */
  readonly device: "cuda" | "vulkan" | "metal" | "cpu";
  /** Threads worth using for matrix products on this machine. */
  readonly mathCores: number;
  /** llama.cpp's release, e.g. `v0.5.0`. */
  readonly release: string;
  /** The last thing llama.cpp complained of since the previous call. */
  takeComplaint(): Promise<string | undefined>;
}

let opened: { gpu: GpuChoice; runtime: Promise<Runtime> } | undefined;

/**
 * Opens the runtime once a process.
 * @throws RuntimeError if no llama.cpp fits this machine, its release is not the addon's, or the process has already
 *   opened it for another GPU choice
 */
export function openRuntime(gpu: GpuChoice = "auto"): Promise<Runtime> {
  if (opened && opened.gpu !== gpu) {
    throw new RuntimeError(
      "RUNTIME_GPU_FIXED",
      `llama.cpp already runs with GPU "${opened.gpu}" in this process, so "${gpu}" needs a process of its own.`,
    );
  }
  opened ??= { gpu, runtime: load(gpu) };
  return opened.runtime;
}

async function load(gpu: GpuChoice): Promise<Runtime> {
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
  return {
    device: llama.gpu === false ? "cpu" : llama.gpu,
    mathCores: llama.cpuMathCores,
    release,
    async takeComplaint() {
      // The log arrives through the event loop, after the call that failed.
      await new Promise((resolve) => setImmediate(resolve));
      const taken = complaint;
      complaint = undefined;
      return taken;
    },
  };
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
