import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const COUNT = Number(process.env.LORP_ABUSE ?? 4);
const TIME = { timeout: 60_000 + COUNT * 20_000 };

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const model = readFileSync(EXAMPLE_MODEL);
const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const random = randomNumbers(16);

/** Writes the model without a block, which something happens to at a random moment. */
async function apply(happen?: (kill: (signal: NodeJS.Signals) => void) => void) {
  const moment = random() * duration;
  let happened: Promise<void> | undefined;
  const result = await lorp(["apply", at("in.gguf"), at("plan.json"), "-o", at("out.gguf")], {
    started: (child) => {
      happened = sleep(moment).then(() => happen?.((signal) => child.kill(signal)));
    },
  });
  await happened;
  return result;
}

/** Files besides the input and the Plan. */
const others = () => readdirSync(folder).filter((name) => name !== "in.gguf" && name !== "plan.json");

/** What the run left is whole, or not there. */
function checkOutput(): void {
  if (existsSync(at("out.gguf"))) expect(hash(at("out.gguf"))).toBe(whole);
  rmSync(at("out.gguf"), { force: true });
}

let duration = 0;
let whole = "";
beforeAll(async () => {
  writeFileSync(at("in.gguf"), model);
  const similarity = Array.from({ length: 20 }, (_, i) =>
    Array.from({ length: 20 }, (_, j) => 1 - Math.abs(i - j) / 40),
  );
  writeFileSync(at("an.json"), JSON.stringify({ schemaVersion: 1, model: { blockCount: 20 }, similarity }));
  await lorp(["plan", at("an.json"), "--layers", "5", "-o", at("plan.json")]);
  rmSync(at("an.json"));
  const start = performance.now();
  expect(await apply()).toMatchObject({ status: 0 });
  duration = performance.now() - start;
  whole = hash(at("out.gguf"));
  rmSync(at("out.gguf"));
}, 60_000);

test(`${COUNT} kills leave the output whole or absent, and the next run clears up`, TIME, async () => {
  for (let made = 0; made < COUNT; made++) {
    await apply((kill) => kill("SIGKILL"));
    checkOutput();
    expect(await apply()).toMatchObject({ status: 0 });
    expect(others()).toEqual(["out.gguf"]);
    checkOutput();
  }
});

test.skipIf(process.platform === "win32")(
  `${COUNT} signals end it with 130 and leave nothing else`,
  TIME,
  async () => {
    for (let made = 0; made < COUNT; made++) {
      const signal = (["SIGINT", "SIGTERM", "SIGHUP"] as const)[made % 3]!;
      const { status } = await apply((kill) => kill(signal));
      // Before the program listens, and when it is done, the system ends it.
      expect([0, 130, null]).toContain(status);
      expect([[], ["out.gguf"]]).toContainEqual(others());
      if (status !== null) expect(others()).toEqual(status === 0 ? ["out.gguf"] : []);
      checkOutput();
    }
  },
);

const CHANGES: readonly (() => void)[] = [
  () => writeFileSync(at("in.gguf"), new Uint8Array(model.length)),
  () => truncateSync(at("in.gguf"), 100_000),
  () => {
    writeFileSync(at("new"), model.subarray(0, 5_000_000));
    renameSync(at("new"), at("in.gguf"));
  },
  () => rmSync(at("in.gguf")),
];

test.skipIf(process.platform === "win32")(
  `${COUNT} changes of the input are noticed, or come too late`,
  TIME,
  async () => {
    for (let made = 0; made < COUNT; made++) {
      writeFileSync(at("in.gguf"), model);
      const { status, stderr } = await apply(CHANGES[made % CHANGES.length]);
      expect(stderr).not.toMatch(/internal error|\n\s+at /);
      expect([status, others()]).toEqual(status === 0 ? [0, ["out.gguf"]] : [1, []]);
      checkOutput();
    }
  },
);
