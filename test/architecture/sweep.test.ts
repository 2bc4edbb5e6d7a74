import { beforeAll, describe, expect, test } from "vitest";
import { openRuntime } from "../../src/model/runtime.ts";
import { FIXTURE_NAMES } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { judge } from "../support/oracle.ts";

/**
 * Many random sets of blocks of every architecture, on demand: `LORP_SWEEP=40 npx vitest run
 * test/architecture/sweep.test.ts`. `LORP_SWEEP_SEED` draws others, `LORP_SWEEP_ONLY` is a pattern of fixtures' names, and
 * `LORP_SWEEP_ILLEGAL=1` forces sets that break one rule and lists, by rule, how many of them are right all the same.
 */
const { LORP_SWEEP, LORP_SWEEP_SEED = "1", LORP_SWEEP_ONLY = ".", LORP_SWEEP_ILLEGAL } = process.env;

describe.runIf(LORP_SWEEP)("the sweep", () => {
  const folder = temporaryFolder();
  const illegal = Boolean(LORP_SWEEP_ILLEGAL);
  beforeAll(async () => {
    await openRuntime("off");
  });

  test.for(FIXTURE_NAMES.filter((name) => new RegExp(LORP_SWEEP_ONLY).test(name)))(
    "%s",
    { timeout: 600_000 },
    async (fixture) => {
      const options = { seed: Number(LORP_SWEEP_SEED), illegal };
      const { cuts = [], resumption = 0 } = await judge(fixture, folder, Number(LORP_SWEEP), options);
      for (const rule of new Set(cuts.map((cut) => cut.rule))) {
        const sets = cuts.filter((cut) => cut.rule === rule);
        const right = sets.filter(({ error }) => error < 1e-6);
        const wrong = sets.filter((set) => !right.includes(set));
        const shown = (illegal ? right : wrong)
          .slice(0, 3)
          .map(({ removed, failure }) => failure ?? `${removed}`);
        console.log(
          `SWEPT ${fixture} | ${rule ?? "legal"} | right ${right.length}, wrong ${wrong.length} | ${shown.join(" / ")}`,
        );
      }
      if (illegal) return;
      expect(cuts.filter(({ error }) => !(error < 1e-6))).toEqual([]);
      expect(resumption).toBe(0);
    },
  );
});
