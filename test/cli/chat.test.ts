import { join } from "node:path";
import { expect, test } from "vitest";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { writeScaledExample } from "../support/scaled.ts";

const quick = ["--gpu", "off", "--threads", "1", "--max-tokens", "4", "--temperature", "0"];

test("two models answer side by side, each under its name", async () => {
  const prompt = ["--prompt", "It was a truth"];
  const alone = await lorp(["chat", EXAMPLE_MODEL, ...prompt, ...quick]);
  expect(alone).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/The answer was cut after 4 tokens; --max-tokens N lets it be longer\.\n$/),
  });
  const both = await lorp(["chat", EXAMPLE_MODEL, EXAMPLE_MODEL, ...prompt, ...quick]);
  expect(both.stdout).toBe(`${EXAMPLE_MODEL}:\n${alone.stdout}`.repeat(2));
});

test("an answer that fails at once prints nothing but why", async () => {
  const path = await writeScaledExample(join(temporaryFolder(), "nan.gguf"), {
    "blk.19.ffn_down.weight": Number.NaN,
  });
  const failed = await lorp(["chat", path, "--prompt", "It was", ...quick]);
  expect(failed).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("NaN") });
});

test("a chat that is stopped speaks of no files", async () => {
  const args = ["chat", EXAMPLE_MODEL, "--prompt", "Once", "--gpu", "off", "--threads", "1"];
  const stopped = await lorp(args, {
    started: (child) => child.stdout?.once("data", () => child.kill("SIGTERM")),
  });
  expect(stopped.status).toBe(130);
  expect(stopped.stderr).toMatch(/lorp: Stopped\.\n$/);
});
