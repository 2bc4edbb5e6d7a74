import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const SEED = 23;
const KILLS = 10;

const folder = temporaryFolder();
const output = join(folder, "analysis.json");
const cache = join(folder, "cache");

/** When and how a run is ended: with a signal, some milliseconds after it has said how far it is that many times. */
interface End {
  readonly signal: NodeJS.Signals;
  readonly reports: number;
  readonly delay: number;
}

async function analyze(end?: End) {
  const settings = ["--gpu", "off", "--sequences", "24", "--sequence-length", "128", "--resume"];
  const { status } = await lorp(["analyze", EXAMPLE_MODEL, ...settings, "-o", output], {
    env: { XDG_CACHE_HOME: cache },
    started: (child) => {
      let reports = 0;
      child.stderr?.on("data", (text: string) => {
        const before = reports;
        reports += text.split("\n").length - 1;
        if (end && before < end.reports && reports >= end.reports) {
          setTimeout(() => child.kill(end.signal), end.delay);
        }
      });
    },
  });
  return status;
}

/** Whether a run that was ended has left what the next can go on from. */
function leftCheckpoint(): boolean {
  const captures = join(cache, "lorp", "captures");
  return existsSync(captures) && readdirSync(captures).some((name) => /^\w+\.checkpoint\.json$/.test(name));
}

/** What was written. The next run begins with neither it nor what was measured for it. */
function takeResult(): string {
  const text = readFileSync(output, "utf8");
  rmSync(output);
  rmSync(cache, { recursive: true });
  return text;
}

test(`killed at ${KILLS} random moments (seed ${SEED}) and resumed, the Analysis is the same byte for byte`, async () => {
  expect(await analyze()).toBe(0);
  const whole = takeResult();
  const random = randomNumbers(SEED);
  let resumable = 0;
  for (let kills = 0; kills < KILLS; ) {
    const signal = random() < 0.7 ? "SIGKILL" : "SIGINT";
    const status = await analyze({ signal, reports: 1 + Math.floor(7 * random()), delay: 20 * random() });
    if (status === 0) {
      expect(takeResult()).toBe(whole);
    } else {
      expect(status).toBe(signal === "SIGKILL" ? null : 130);
      kills++;
      if (leftCheckpoint()) resumable++;
    }
  }
  expect(resumable).toBeGreaterThan(KILLS / 2);
  expect(await analyze()).toBe(0);
  expect(takeResult()).toBe(whole);
});
