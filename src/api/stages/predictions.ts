import { ArchitectureError } from "../../architecture/errors.ts";
import type { Architecture } from "../../architecture/types.ts";

/**
 * Refuses what rests on predictions of the next token where a model gives embeddings.
 * @param what is asked for: a sentence's subject
 * @throws ArchitectureError `ARCHITECTURE_REFUSED`
 */
export function requirePredictions({ name, states }: Architecture, what: string): void {
  if (!states.embeds) return;
  throw new ArchitectureError(
    "ARCHITECTURE_REFUSED",
    `${what} needs predictions of the next token, and ${name} models give embeddings; \`method: "lorp"\` chooses by what their layers do, and tells how alike the embeddings are.`,
  );
}
