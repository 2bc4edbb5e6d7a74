import type { Command } from "commander";
import { complete, type ValueSource } from "../help/candidates.ts";
import { run } from "../run.ts";

/** Called by the shells. */
export function define(command: Command, buildProgram: () => Promise<Command>): void {
  command.action((words: string[]) =>
    run(async () => {
      const candidates = await complete(await buildProgram(), words, SOURCES);
      if (candidates.length > 0) process.stdout.write(`${candidates.join("\n")}\n`);
    }),
  );
}

const methods: ValueSource = async () => {
  const { METHODS } = await import("../../selection/methods.ts");
  return METHODS.map(({ name }) => name);
};

const layers: ValueSource = async (words) => {
  const { readGguf } = await import("../../gguf/read.ts");
  const { readModel } = await import("../../architecture/metadata.ts");
  for (const word of words) {
    const file = await readGguf(word).catch(() => undefined);
    if (file) return Array.from({ length: readModel(file).blockCount }, (_, layer) => String(layer));
  }
  return [];
};

const SOURCES: Readonly<Record<string, ValueSource>> = {
  "--method": methods,
  "--methods": methods,
  "--layers": layers,
  "--skip-layers": layers,
};
