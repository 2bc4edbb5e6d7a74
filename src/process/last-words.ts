import type { Readable } from "node:stream";

/** What is kept of the end of a process's stderr, characters. */
const KEPT = 4096;

/**
 * Listens to a process's stderr.
 * @returns tells what it said last that says why it ended: a failed assertion, or an exception that nobody caught
 */
export function createLastWords(stderr: Readable | null): () => string | undefined {
  let text = "";
  stderr?.setEncoding("utf8").on("data", (piece: string) => {
    text = (text + piece).slice(-KEPT);
  });
  return () => lastWordsIn(text);
}

/**
 * `/home/…/ggml-cuda.cu:108: CUDA error`, where a line before says `CUDA error: the reason`, is told with the reason;
 * `/home/…/ggml.c:4005: GGML_ASSERT(a) failed` → `GGML_ASSERT(a) failed (ggml.c:4005)`; `what():  vector` → `vector`.
 */
export function lastWordsIn(stderr: string): string | undefined {
  const assertions = [...stderr.matchAll(/^(?:.*[/\\])?([\w.-]+\.\w+:\d+): (.+)$/gm)];
  const [, place, failure] = assertions.at(-1) ?? [];
  if (failure !== undefined) {
    const reasoned = stderr.split("\n").findLast((line) => line.startsWith(`${failure.trim()}: `));
    return `${(reasoned ?? failure).trim().replace(/\.$/, "")} (${place})`;
  }
  return /^\s*what\(\):\s*(.+)$/m.exec(stderr)?.[1]?.trim();
}
