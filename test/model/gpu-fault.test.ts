import { expect, test, vi } from "vitest";
import { startRuntime } from "../../src/model/runtime.ts";

/** A GPU that the libraries find and have no code for, as seen with CUDA on an H200 with an older driver. */
const REASON = "CUDA error: the provided PTX was compiled with an unsupported toolchain (ggml-cuda.cu:108)";

vi.mock("../../src/process/start.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/process/start.ts")>();
  return {
    ...original,
    startProcess: () => ({
      ended: Promise.resolve(),
      end: () => Promise.resolve(),
      async call(name: string, [gpu]: readonly unknown[]) {
        if (name === "checkGpus") throw new original.ProcessDied(REASON);
        const isCpu = gpu === "off";
        return { device: isCpu ? "cpu" : "cuda", gpuNames: isCpu ? [] : ["NVIDIA H200"], notice: undefined };
      },
    }),
  };
});

test("a GPU asked for by name that cannot compute is refused with llama.cpp's reason", async () => {
  await expect(startRuntime("cuda")).rejects.toMatchObject({
    code: "RUNTIME_NOT_FOUND",
    message: `CUDA finds NVIDIA H200, but cannot compute there: ${REASON}; update the GPU's driver, or use \`gpu: "off"\`, which computes on the CPU.`,
  });
});

test("otherwise the CPU computes instead, and that is said", async () => {
  expect(await startRuntime("auto")).toMatchObject({
    device: "cpu",
    notice: expect.stringMatching(
      /^CUDA finds NVIDIA H200, but cannot compute there: .*: computing on the CPU\./,
    ),
  });
});
