import { AbortedError, LorpError, UsageError } from "../errors.ts";
import { withoutSecrets } from "../secrets.ts";
import { withFlags } from "./options/flags.ts";
import { printable } from "./printable.ts";

/** Exit statuses, as documented in the README. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Runs one command's work: gives it an AbortSignal that Ctrl-C fires, and turns what it throws into a message for
 * people and an exit status. A second Ctrl-C ends the process at once.
 */
export async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  process.on("SIGHUP", interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    process.exitCode = report(error);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    process.off("SIGHUP", interrupt);
  }
}

/** Prints an error to stderr. @returns the exit status that belongs to it */
function report(error: unknown): number {
  if (!(error instanceof LorpError)) {
    process.stderr.write(
      `lorp: internal error: ${told(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n` +
        "This is a fault in lorp; please report it with the command you ran.\n",
    );
    return EXIT.failed;
  }
  process.stderr.write(`lorp: ${told(withFlags(error.message))}\n`);
  if (error instanceof AbortedError) return EXIT.interrupted;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** What may be told on a terminal, and end up in somebody's log. */
const told = (message: string) => printable(withoutSecrets(message));
