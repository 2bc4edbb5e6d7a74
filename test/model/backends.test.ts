import { expect, test } from "vitest";
import { diagnose } from "../../src/api/diagnose.ts";
import { isInstalled, packageOf, whyUnused } from "../../src/model/backends.ts";
import { openRuntime } from "../../src/model/runtime.ts";

test.each([
  ["linux", "x64", undefined, "@node-llama-cpp/linux-x64"],
  ["linux", "arm", undefined, "@node-llama-cpp/linux-armv7l"],
  ["linux", "x64", "cuda", "@node-llama-cpp/linux-x64-cuda"],
  ["win32", "x64", "vulkan", "@node-llama-cpp/win-x64-vulkan"],
  ["darwin", "arm64", "metal", "@node-llama-cpp/mac-arm64-metal"],
] as const)("on %s %s, %s is brought by %s", (platform, arch, gpu, name) => {
  expect(packageOf(gpu, platform, arch)).toBe(name);
});

test("the first thing that a GPU lacks is told", () => {
  const all = { supported: true, installed: true, empty: true };
  expect(whyUnused("cuda", { ...all, supported: false, installed: false })).toMatch(/NVIDIA's driver/);
  expect(whyUnused("vulkan", { ...all, installed: false })).toMatch(/package @node-llama-cpp\/.*vulkan/);
  expect(whyUnused("vulkan", all)).toBe("finds no GPU");
  expect(whyUnused("cuda", { ...all, empty: false })).toMatch(/does not start/);
});

test("a package is installed where node-llama-cpp finds it", () => {
  expect(isInstalled("lifecycle-utils")).toBe(true);
  expect(isInstalled("@node-llama-cpp/no-such-system")).toBe(false);
});

test.skipIf(process.platform === "darwin")("a GPU asked for by name is never replaced", async () => {
  await expect(openRuntime("metal")).rejects.toMatchObject({
    code: "RUNTIME_NOT_FOUND",
    message: expect.stringMatching(/^Metal needs a Mac .*`gpu: "off"`/),
  });
});

test("the doctor tries each device", async () => {
  const { device, devices, llama } = await diagnose();
  expect(llama).toMatch(/^v\d/);
  expect(devices[0]).toMatchObject({ device: "cpu", installed: true, problem: null });
  const usable = devices.filter(({ problem }) => problem === null).map((found) => found.device);
  expect(usable).toContain(device);
  for (const { device: kind, names, problem } of devices) {
    if (kind !== "cpu") expect(names.length > 0).toBe(problem === null);
  }
});
