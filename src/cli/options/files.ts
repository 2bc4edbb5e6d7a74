import type { Destination } from "../../files/destinations.ts";
import { allParts } from "../../sources/parts.ts";
import { recipePath } from "../recipe/place.ts";

type Names = readonly (string | undefined)[];

/** The files of an action, by their options; undefined for options that were not given. */
interface Files {
  /** A model's first part stands for all. */
  readonly reads: Names;
  /** Documents and pages. */
  readonly writes: Names;
  /** Replace what is there. */
  readonly force?: boolean | undefined;
}

/** Every file that a command reads, the recipe included. */
export function filesRead(names: Names): string[] {
  return [...names, recipePath(process.argv.slice(2))].flatMap((name) =>
    name === undefined ? [] : allParts(name),
  );
}

/** Where documents and pages go. */
export function textsWritten(names: Names, replace = false): Destination[] {
  return names.flatMap((path) => (path === undefined ? [] : [{ path, holds: "text" as const, replace }]));
}

/** Refuses what cannot be written, or not without loss, before any work is done. @throws OutputError */
export async function checkFiles({ reads, writes, force }: Files): Promise<void> {
  const { checkDestinations } = await import("../../files/destinations.ts");
  await checkDestinations(textsWritten(writes, force), filesRead(reads));
}
