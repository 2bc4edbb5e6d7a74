import { fork } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXTURE_NAMES } from "../support/architectures.ts";
import { compileWithSupport } from "../support/compiled.ts";
import { temporaryFolder } from "../support/folder.ts";

/**
 * Many random sets of blocks of every architecture, each fixture in processes of their own, on demand:
 * `LORP_SWEEP=40 npx vitest run test/architecture/sweep.test.ts`. `LORP_SWEEP_SEED` draws others, `LORP_SWEEP_ONLY` is
 * a pattern of fixtures' names, and `LORP_SWEEP_ILLEGAL=1` forces sets that break a rule and lists those that
 * llama.cpp runs rightly all the same, by rule.
 */
const { LORP_SWEEP, LORP_SWEEP_SEED = "1", LORP_SWEEP_ONLY = ".", LORP_SWEEP_ILLEGAL } = process.env;

interface Line {
  readonly removed?: readonly number[];
  readonly rule?: string;
  readonly error?: number | "failed";
  readonly failure?: string;
  readonly resumption?: number;
  readonly ended?: true;
}

describe.runIf(LORP_SWEEP)("the sweep", () => {
  const folder = temporaryFolder();
  let compiled: ReturnType<typeof compileWithSupport>;
  beforeAll(() => {
    compiled = compileWithSupport();
  });
  afterAll(() => compiled.remove());

  const run = async (fixture: string, count: number, seed: number): Promise<Line[]> => {
    const log = join(folder, `${fixture}-${seed}.jsonl`);
    const script = join(compiled.folder, "test/support/judge-child.js");
    const mode = LORP_SWEEP_ILLEGAL ? "illegal" : "legal";
    const child = fork(script, [fixture, folder, `${count}`, `${seed}`, mode, log], { stdio: "ignore" });
    await new Promise((resolve) => child.on("exit", resolve));
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    rmSync(log, { force: true });
    return lines.map((line) => JSON.parse(line) as Line);
  };

  test.for(FIXTURE_NAMES.filter((name) => new RegExp(LORP_SWEEP_ONLY).test(name)))(
    "%s",
    { timeout: 600_000 },
    async (fixture) => {
      const wrong: string[] = [];
      let right = 0;
      const rightByRule = new Map<string, string[]>();
      for (let left = Number(LORP_SWEEP), seed = Number(LORP_SWEEP_SEED); left > 0; seed += 1000) {
        const lines = await run(fixture, left, seed);
        expect(lines.length).toBeGreaterThan(0);
        for (const [i, { removed, error, failure, ended, resumption, rule }] of lines.entries()) {
          if (ended && (resumption ?? 0) !== 0) wrong.push(`resumption differs by ${resumption}`);
          if (!removed || error !== undefined) continue;
          left--;
          const done = lines[i + 1];
          if (done?.error === undefined) wrong.push(`${removed} ends the process`);
          else if (done.error === "failed") wrong.push(`${removed} fails: ${done.failure ?? failure}`);
          else if (!(done.error < 1e-6)) wrong.push(`${removed} differs by ${done.error}`);
          else {
            right++;
            const why = rule ?? "legal";
            rightByRule.set(why, [...(rightByRule.get(why) ?? []), `${removed}`]);
          }
        }
        if (lines.at(-1)?.ended) break;
      }
      if (LORP_SWEEP_ILLEGAL) {
        for (const [rule, sets] of rightByRule) {
          console.log(
            `REFUSED ${fixture} | ${rule} | right ${sets.length}, wrong ${wrong.length} | ${sets.slice(0, 3).join(" / ")}`,
          );
        }
      } else {
        console.log(`SWEPT ${fixture} | right ${right} | ${wrong.join(" / ")}`);
        expect(wrong).toEqual([]);
      }
    },
  );
});
