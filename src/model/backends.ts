import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { GpuChoice } from "./gpu.ts";

/** A kind of GPU that llama.cpp can compute on. */
export type Gpu = Exclude<GpuChoice, "auto" | "off">;

/** What a kind of GPU needs of the system. */
const NEEDS: Readonly<Record<Gpu, string>> = {
  cuda: "NVIDIA's driver and CUDA's libraries (libcudart, libcublas, libcublasLt)",
  vulkan: "the Vulkan loader (libvulkan) and a GPU's driver",
  metal: "a Mac with Apple silicon",
};

const TITLES: Readonly<Record<Gpu, string>> = { cuda: "CUDA", vulkan: "Vulkan", metal: "Metal" };

export function gpuTitle(gpu: Gpu): string {
  return TITLES[gpu];
}

/** What is known of a kind of GPU that is not computed on. */
export interface GpuFacts {
  /** Whether the system has what it needs. */
  readonly supported: boolean;
  /** Whether the package with its llama.cpp is there. */
  readonly installed: boolean;
  /** Whether its llama.cpp runs and finds no GPU. */
  readonly empty: boolean;
}

/** Why a kind of GPU is not computed on, in words that go on after its name. */
export function whyUnused(gpu: Gpu, { supported, installed, empty }: GpuFacts): string {
  if (!supported) return `needs ${NEEDS[gpu]}, which this system lacks`;
  if (!installed) return `needs the package ${packageOf(gpu)}, which is not installed`;
  if (empty) return "finds no GPU";
  return "does not start with this system's drivers";
}

/** The package of node-llama-cpp's that brings llama.cpp for this system, for a kind of GPU or the CPU alone. */
export function packageOf(
  gpu: Gpu | undefined,
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): string {
  const os = { darwin: "mac", win32: "win" }[platform as string] ?? platform;
  const cpu = arch === "arm" ? "armv7l" : arch;
  return `@node-llama-cpp/${[os, cpu, ...(gpu === undefined ? [] : [gpu])].join("-")}`;
}

/** Whether node-llama-cpp finds a package. */
export function isInstalled(name: string): boolean {
  const require = createRequire(createRequire(import.meta.url).resolve("node-llama-cpp"));
  return (require.resolve.paths(name) ?? []).some((folder) => existsSync(join(folder, name)));
}
