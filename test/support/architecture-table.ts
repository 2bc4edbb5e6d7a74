import { ARCHITECTURES } from "../../src/architecture/table.ts";
import { rulesOf, type Verdict } from "./oracle.ts";

/** docs/architectures.md: what a run of the oracle has shown of each architecture. */
export function architectureTable(verdicts: readonly Verdict[]): string {
  const rows = [...ARCHITECTURES.keys()].sort().map((name) => row(name, verdicts));
  const cut = rows.filter(({ cells }) => cells[1] === "yes").length;
  return [
    "# Architectures",
    "",
    "<!-- Written by test/architecture/oracle.test.ts (`npx vitest run test/architecture/oracle.test.ts -u`). -->",
    "",
    `Of the ${rows.length} architectures that llama.cpp knows by name, lorp analyses and cuts ${cut}; it refuses the others by name,`,
    "and every architecture that it has no rules for. *Analysed and cut* says what was seen in a run of the test on tiny random",
    "models of that architecture: llama.cpp showed the input of every layer, and the logits (or the embeddings, where a model gives",
    "those) of the pruned file equalled those of the original with the same layers skipped (normalised mean squared error below",
    "1e-6 in F32, sequences longer than the sliding window, several random sets of layers). *Held by* lists the rules that keep layers in place in those models; a rule",
    "that a model does not need does not hold it. *Refused* gives the reason, and for which models where it is not all of them.",
    "",
    "`nanbeige` and `hrm_text` run the same layers in several loops. A layer goes from all of them, and its similarity to others is",
    "the mean of all. `hrm_text` runs one of two stacks in each loop, and llama.cpp has one length for both: a layer is what stands",
    "at one place of the two stacks, both its blocks of tensors, which go together.",
    "",
    "Other engines may read less of a file than llama.cpp: Ollama before 0.30 takes the sliding-window pattern of `gemma2`, `gemma3` and",
    "`gpt-oss` from a layer's number, so that there a removal which shifts it is computed wrongly; `--pattern-safe` leaves it in place.",
    "",
    "| Architecture | Analysed and cut | Held by | Refused |",
    "|---|---|---|---|",
    ...rows.map(({ name, cells }) => `| \`${name}\` | ${cells.slice(1).join(" | ")} |`),
    "",
  ].join("\n");
}

function row(name: string, verdicts: readonly Verdict[]): { name: string; cells: readonly string[] } {
  const own = verdicts.filter(({ architecture }) => architecture === name);
  const done = own.filter(({ analysed, cuts }) => analysed && cuts?.every(({ error }) => error < 1e-6));
  const held = [...new Set(done.flatMap(({ description }) => (description ? rulesOf(description) : [])))];
  const refusals = ARCHITECTURES.get(name)!.rules.filter(({ refusal }) => refusal);
  const measured = own.flatMap(({ refusal }) => (refusal ? [reasonIn(refusal)] : []));
  const why = [...new Set([...measured, ...refusals.map((rule) => rule.name)])];
  return { name, cells: [name, done.length > 0 ? "yes" : "no", held.join("; "), why.join("; ")] };
}

/** `This x model cannot be pruned because REASON; …` */
function reasonIn(message: string): string {
  return /because (.*); use/.exec(message)?.[1] ?? message;
}
