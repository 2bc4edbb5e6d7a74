import { type Gpu, isInstalled, packageOf } from "../model/backends.ts";
import { GPU_CHOICES, type GpuChoice } from "../model/gpu.ts";
import { type Runtime, startRuntime } from "../model/runtime.ts";
import { VERSION } from "../version.ts";

/** Whether one kind of device can be computed on. */
export interface DeviceDiagnosis {
  readonly device: "cpu" | Gpu;
  /** The package that brings llama.cpp for it. */
  readonly package: string;
  readonly installed: boolean;
  /** What the GPUs are called; empty for the CPU. */
  readonly names: readonly string[];
  /** Why it cannot be used; null where it can. */
  readonly problem: string | null;
}

export interface Diagnosis {
  readonly lorpVersion: string;
  readonly node: string;
  /** E.g. `linux-x64`. */
  readonly platform: string;
  /** llama.cpp's release; null where none runs. */
  readonly llama: string | null;
  /** What `gpu: "auto"` computes on; null where nothing can. */
  readonly device: string | null;
  readonly devices: readonly DeviceDiagnosis[];
}

/** What lorp is installed with on this machine and what it can compute on, each tried in a process of its own. */
export async function diagnose(): Promise<Diagnosis> {
  const devices: DeviceDiagnosis[] = [];
  for (const choice of GPU_CHOICES) {
    if (choice !== "auto" && isSensible(choice)) devices.push(await examine(choice));
  }
  const auto = await attempt("auto");
  const opened = typeof auto === "string" ? undefined : auto;
  return {
    lorpVersion: VERSION,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    llama: opened?.release ?? null,
    device: opened?.device ?? null,
    devices,
  };
}

/** Metal is Macs' alone, and all they have. */
function isSensible(choice: GpuChoice): boolean {
  return choice === "off" || (choice === "metal") === (process.platform === "darwin");
}

async function examine(choice: Exclude<GpuChoice, "auto">): Promise<DeviceDiagnosis> {
  const name = packageOf(choice === "off" ? undefined : choice);
  const result = await attempt(choice);
  const failed = typeof result === "string";
  return {
    device: choice === "off" ? "cpu" : choice,
    package: name,
    installed: isInstalled(name),
    names: failed ? [] : result.gpuNames,
    problem: failed ? result : null,
  };
}

/** @returns what is known of the runtime, or why there is none */
async function attempt(
  choice: GpuChoice,
): Promise<Pick<Runtime, "release" | "device" | "gpuNames"> | string> {
  try {
    const runtime = await startRuntime(choice);
    await runtime.end();
    return runtime;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
