import type { Command } from "commander";
import type { ResolvedModel } from "../../sources/resolve.ts";
import type { Terminal } from "../terminal.ts";

export interface SourceOptions {
  readonly hfToken?: string | undefined;
}

export function addSourceOptions(command: Command): Command {
  return command.option(
    "--hf-token <token>",
    "for gated repositories of Hugging Face (default: the variable HF_TOKEN)",
  );
}

export interface FoundModel extends ResolvedModel {
  /** For WriteOptions: what is made of a model that a program keeps is written into the current folder, not beside it. */
  readonly stem: string | undefined;
}

/** Finds or downloads the model that the user named. @throws SourceError, AbortedError */
export async function findModel(
  reference: string,
  { hfToken }: SourceOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<FoundModel> {
  const { resolveModel } = await import("../../sources/resolve.ts");
  const model = await resolveModel(reference, { hfToken, signal, onProgress: terminal.onProgress });
  return { ...model, stem: model.kept ? model.name : undefined };
}
