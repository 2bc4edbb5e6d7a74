import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { applyDescribed } from "../../src/api/apply.ts";
import { describeModel } from "../../src/api/stages/describe.ts";
import { choicePieces } from "../../src/api/stages/objective.ts";
import { type OpenedModel, openForCalibration } from "../../src/api/stages/open.ts";
import { type Repaired, repair } from "../../src/api/stages/repair.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { apply, diff, inspect, type Plan, plan, prune } from "../../src/index.ts";
import { openModel } from "../../src/model/model.ts";
import { originsOf, readNumbering } from "../../src/provenance/numbering.ts";
import type { RepairKind } from "../../src/repair/kinds.ts";
import { estimate } from "../../src/statistics.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const quick = { gpu: "off", threads: 1, sequences: 24, sequenceLength: 128 } as const;

const described = await describeModel(EXAMPLE_MODEL);
const removal = plan({ schemaVersion: 1, model: described.summary, similarity: [] }, { layers: "4,8-11" });

/** What each gives back at least of so little text: the wider map needs more of it. */
const SHARES = { refit: 0.1, bridge: 0.25 };

describe.each<RepairKind>(["refit", "bridge"])("repair by %s over two gaps", (kind) => {
  let repaired: Repaired;
  let opened: OpenedModel;

  beforeAll(async () => {
    opened = await openForCalibration(described, quick);
    repaired = await repair(described, opened, removal, kind, quick);
    await applyDescribed(described, repaired, undefined, { output: at(`${kind}.gguf`) });
    return () => opened.close();
  }, 120_000);

  test("gives back enough on text that was not fitted", () => {
    const { kind: kept, heldBack, tried } = repaired.plan.repair!;
    const [one] = tried;
    // Besides the gaps, the first layer behind the last one is refitted, whatever the kind.
    expect([kept, one!.gaps.map(({ after, behind }) => [after, behind])]).toEqual([
      kind,
      [
        [3, undefined],
        [7, undefined],
        [12, true],
      ],
    ]);
    const [, atGaps, whole] = one!.gaps.map((map) => map.divergence);
    expect(whole).toBeLessThan(atGaps!);
    expect(one!.divergence).toBeLessThan((1 - SHARES[kind]) * heldBack.divergence);
    expect(one!.gaps.at(-1)!.divergence).toBe(one!.divergence);
  });

  test("the file computes what was measured before it was written", async () => {
    const { sequences, first } = choicePieces(opened);
    const { architecture } = await describeModel(at(`${kind}.gguf`));
    const written = await openModel(at(`${kind}.gguf`), quick);
    const options = { sequenceLength: quick.sequenceLength };
    const session = written.openSession({ ...options, states: architecture.states });
    const original = opened.model.openSession({ ...options, states: described.architecture.states });
    const divergences: number[] = [];
    for (const tokens of sequences) {
      const { top } = await original.score(tokens, { first, keepTop: 1024 });
      divergences.push(estimate((await session.score(tokens, { first, baseTop: top })).kl).mean);
    }
    original.close();
    written.close();
    const virtual = repaired.plan.repair!.tried[0]!.divergence;
    expect(Math.abs(estimate(divergences).mean - virtual)).toBeLessThan(1e-3);
  });

  test("apply fits it anew from the plan, to the byte", async () => {
    await apply(EXAMPLE_MODEL, repaired.plan, { ...quick, output: at(`${kind}-again.gguf`) });
    const [one, other] = [kind, `${kind}-again`].map((name) => readFileSync(at(`${name}.gguf`)));
    expect(one!.equals(other!)).toBe(true);
  });
});

test("a plan's repair is fitted on its own text only", async () => {
  const fitted = { ...quick, sequences: 4 };
  const asked = { layers: "8-11", repair: "bridge", dryRun: true } as const;
  const { plan: made } = await prune(EXAMPLE_MODEL, { ...fitted, ...asked });
  const text = at("other.txt");
  writeFileSync(text, readFileSync("calibration/default.txt", "utf8").slice(0, 60_000));
  const other = apply(EXAMPLE_MODEL, made, { ...fitted, calibration: text, output: at("other.gguf") });
  await expect(other).rejects.toMatchObject({ code: "REPAIR_OTHER_TEXT" });
  const elsewhere = {
    ...made,
    repair: { ...made.repair!, tried: [{ ...made.repair!.tried[0]!, gaps: [] }] },
  };
  const none = apply(EXAMPLE_MODEL, elsewhere, { ...fitted, output: at("other.gguf") });
  await expect(none).rejects.toMatchObject({ code: "REPAIR_IMPOSSIBLE" });
  // Without it the model is not run, and what is written is the plain cut.
  const off = await apply(EXAMPLE_MODEL, made, { repair: "off", output: at("off.gguf") });
  expect(off.repair).toBeUndefined();
  expect((await readGguf(at("off.gguf"))).metadata.has("lorp.repair")).toBe(false);
});

test("an inserted block is known as one, also once the file is cut again", async () => {
  const file = await readGguf(at("bridge.gguf"));
  const kept = [0, 1, 2, 3, undefined, 5, 6, 7, undefined, 12, 13, 14, 15, 16, 17, 18, 19];
  expect(originsOf(readNumbering(file))).toEqual(kept);
  const { blocks } = await inspect(at("bridge.gguf"));
  expect(blocks.flatMap(({ layer, inserted }) => (inserted ? [layer] : []))).toEqual([4, 8]);
  const { tensors, renumbered } = await diff(EXAMPLE_MODEL, at("bridge.gguf"));
  expect([renumbered, tensors.changed.map(({ name }) => name)]).toEqual([true, ["blk.12.ffn_down.weight"]]);
  expect(new Set(tensors.onlyInSecond.map((name) => name.replace(/\.\w+\.weight$/, "")))).toEqual(
    new Set(["bridge.3", "bridge.7"]),
  );
  const again = await describeModel(at("bridge.gguf"));
  const cut: Plan = plan({ schemaVersion: 1, model: again.summary, similarity: [] }, { layers: "1,8" });
  await apply(at("bridge.gguf"), cut, { output: at("cut.gguf") });
  const numbering = readNumbering(await readGguf(at("cut.gguf")));
  expect(originsOf(numbering)).toEqual(kept.filter((_, own) => own !== 1 && own !== 8));
});
