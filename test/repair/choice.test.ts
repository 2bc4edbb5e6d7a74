import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { repairRemark } from "../../src/cli/text/repair.ts";
import type { Report } from "../../src/documents/report.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { type Attempt, better } from "../../src/repair/attempt.ts";
import { behindLast, gapsOf } from "../../src/repair/gaps.ts";
import { type Broken, possibleKinds } from "../../src/repair/places.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

test("a gap is behind the kept block that can make up for it; the first block has none", () => {
  expect(gapsOf([0, 1, 4, 7, 8])).toEqual([
    { before: 3, last: 4 },
    { before: 6, last: 8 },
  ]);
});

test("behind the last gap a layer can give back more, unless it is the model's last", () => {
  expect(behindLast(gapsOf([4, 7, 8]), 11)).toEqual({ before: 9, last: 9 });
  expect(behindLast(gapsOf([4, 7, 8]), 10)).toBeUndefined();
  expect(behindLast(gapsOf([8, 9]), 10)).toBeUndefined();
  expect(behindLast(gapsOf([0]), 10)).toBeUndefined();
});

const attempt = (kind: Attempt["kind"], divergences: number[], mended = 1): Attempt => ({
  kind,
  divergences,
  mended: Array.from({ length: mended }, () => ({}) as Attempt["mended"][number]),
  tried: { kind, gaps: [], divergence: 0, standardError: 0 },
});

test("what changes less of the file stays unless the other is better by more than its standard error", () => {
  const refit = attempt("refit", [0.4, 0.5, 0.6]);
  expect(better([refit, attempt("bridge", [0.3, 0.39, 0.52])])?.kind).toBe("bridge");
  // Better on average by 0.03, with a standard error of 0.12.
  expect(better([refit, attempt("bridge", [0.6, 0.3, 0.51])])?.kind).toBe("refit");
  expect(better([attempt("refit", [0.1], 0), attempt("bridge", [0.1], 0)])).toBeUndefined();
});

const file = await readGguf(EXAMPLE_MODEL);
const example: Broken = { file, architecture: describeArchitecture(file) };
const refusals = (model: Broken) =>
  Object.fromEntries(
    possibleKinds(model, gapsOf([8, 9]), ["refit", "bridge"]).refused.map(({ kind, reason }) => [
      kind,
      reason,
    ]),
  );
const renamed = (from: string, to: string): GgufFile => ({
  ...file,
  tensors: file.tensors.map((tensor) => (tensor.name === from ? { ...tensor, name: to } : tensor)),
});
const called = (name: string): Broken => ({ ...example, architecture: { ...example.architecture, name } });

test("what a model cannot have is refused by name", () => {
  expect(refusals(example)).toEqual({});
  expect(refusals(called("gemma2")).refit).toMatch("gemma2 models do not add what ffn_down gives");
  expect(refusals(called("rwkv7")).refit).toMatch("rwkv7");
  const experts = renamed("blk.7.ffn_down.weight", "blk.7.ffn_down_exps.weight");
  expect(refusals({ ...example, file: experts })).toEqual({
    refit: "layer 7 has no blk.7.ffn_down.weight, as where it is made of experts",
    bridge: expect.stringContaining("blk.7.ffn_down_exps.weight would not be read"),
  });
  const scaled = renamed("blk.7.attn_norm.weight", "blk.7.ffn_down.scale");
  expect(refusals({ ...example, file: scaled }).refit).toMatch("is scaled");
  const { architecture } = example;
  const constraints = { ...architecture.constraints, shared: [{ rule: "kv", layer: 7, by: [11] }] };
  const sharing = refusals({ ...example, architecture: { ...architecture, constraints } });
  expect(sharing.refit).toMatch("layer 7 computes something for later ones too");
  const typed: GgufFile = {
    ...file,
    tensors: file.tensors.map((tensor) =>
      tensor.name === "blk.7.ffn_down.weight" ? { ...tensor, type: 15, typeName: "Q8_K" } : tensor,
    ),
  };
  expect(refusals({ ...example, file: typed }).refit).toMatch("Q8_K");
  expect(refusals({ ...example, inPlace: true }).bridge).toMatch("adds a layer");
});

test("the end of a command tells of repairs where the model may have one and none was tried", () => {
  const report = (architecture: string, more: Partial<Report> = {}): Report => ({
    schemaVersion: 1,
    lorpVersion: "0.1.0",
    input: { path: "m.gguf", bytes: 1 },
    output: null,
    plan: explicitPlan({ architecture, blockCount: 20 }, [8]),
    perplexity: null,
    divergence: { klDivergence: 0.3, standardError: null, topAgreement: 0.7 },
    settings: {},
    ...more,
  });
  for (const name of ["llama", "qwen2", "phi2"]) expect(repairRemark(report(name))).toMatch("--repair auto");
  expect(repairRemark(report("gemma3"))).toBeUndefined();
  const looped = explicitPlan({ architecture: "nanbeige", blockCount: 20, loops: 2 }, [8]);
  expect(repairRemark(report("nanbeige", { plan: looped }))).toBeUndefined();
  expect(repairRemark({ ...report("llama"), divergence: undefined as never })).toBeUndefined();
});
