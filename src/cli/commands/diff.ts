import type { Command } from "commander";
import type { ChangedTensor, ModelDiff } from "../../diff/diff.ts";
import { addOutputOptions } from "../options/groups.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

export function define(command: Command): void {
  addSourceOptions(command);
  addOutputOptions(command);
  command.action((one: string, other: string, options: OutputOptions & SourceOptions) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { path: first } = await findModel(one, options, terminal, signal);
      const { path: second } = await findModel(other, options, terminal, signal);
      const { diff } = await import("../../api/diff.ts");
      const found = await diff(first, second, { signal, onProgress: terminal.onProgress });
      const { blockOf } = await import("../../gguf/block-names.ts");
      await terminal.result(describeDiff(first, second, found, blockOf), found);
    }),
  );
}

type BlockOf = (name: string) => number | undefined;

function describeDiff(first: string, second: string, diff: ModelDiff, blockOf: BlockOf): string {
  const { tensors, metadata, removed, renumbered, blocks } = diff;
  const cut = [first, second].flatMap((path, side) => {
    const layers = removed[side] ?? [];
    return layers.length === 0 ? [] : [`${path} was made without layers ${layers.join(", ")}.`];
  });
  const layerOf = (name: string) => {
    const block = blockOf(name);
    return block !== undefined && blocks ? block % blocks : block;
  };
  return [
    ...cut,
    ...(renumbered ? ["Layers are counted as before the removal."] : []),
    `tensors: ${tensors.same} the same, ${tensors.changed.length} changed`,
    ...only(first, groupBlocks(tensors.onlyInFirst, layerOf)),
    ...only(second, groupBlocks(tensors.onlyInSecond, layerOf)),
    ...tensors.changed.map((tensor) => `  ${describeChange(tensor)}`),
    `metadata: ${metadata.same} the same, ${metadata.changed.length} changed`,
    ...only(first, metadata.onlyInFirst),
    ...only(second, metadata.onlyInSecond),
    ...metadata.changed.map((key) => `  ${key} changed`),
  ].join("\n");
}

const only = (path: string, names: readonly string[]): string[] =>
  names.map((name) => `  only in ${path}: ${name}`);

/** The tensors of one layer as one entry. */
function groupBlocks(names: readonly string[], layerOf: BlockOf): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const layer = layerOf(name);
    const label = layer === undefined ? name : `layer ${layer}`;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([label, count]) => (label.startsWith("layer ") ? `${label} (${count} tensors)` : label));
}

function describeChange({ name, types, shapes }: ChangedTensor): string {
  if (types) return `${name} is ${types[0]} in the first, ${types[1]} in the second`;
  if (shapes) return `${name} is ${shapes[0].join("×")} in the first, ${shapes[1].join("×")} in the second`;
  return `${name} holds other numbers`;
}
