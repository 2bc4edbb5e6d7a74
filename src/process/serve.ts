import type { Calls, Request, Response, SentError } from "./messages.ts";

/** One call as the process that carries it out sees it. */
export interface CallContext {
  /** Fires when the caller wants it to stop. */
  readonly signal: AbortSignal;
  /** Tells the caller how far it is. */
  report(progress: unknown): void;
}

/** What carries out the calls. */
export type Handlers<Offered extends Calls<Offered>> = {
  [Name in keyof Offered]: (
    context: CallContext,
    ...args: Parameters<Offered[Name]>
  ) => ReturnType<Offered[Name]> | Promise<ReturnType<Offered[Name]>>;
};

/** What the terminal sends, and what the system does where a file may not grow: the write then fails. */
const IGNORED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGXFSZ"] as const;

/**
 * Carries out the calls of the process that started this one (`startProcess`), each begun in the order of arrival, and
 * ends with it. Whether to stop at Ctrl-C is the other's to decide, so signals of the terminal are ignored here.
 */
export function serve<Offered extends Calls<Offered>>(handlers: Handlers<Offered>): void {
  const running = new Map<number, AbortController>();
  const send = (response: Response) => void process.send?.(response, undefined, undefined, () => {});
  const answer = async (id: number, name: string, args: readonly unknown[]): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const context = { signal: controller.signal, report: (progress: unknown) => send({ id, progress }) };
    try {
      const handler = handlers[name as keyof Offered] as (...all: unknown[]) => unknown;
      send({ id, result: await handler(context, ...args) });
    } catch (error) {
      send({ id, error: toSend(error) });
    } finally {
      running.delete(id);
    }
  };
  for (const signal of IGNORED) process.on(signal, () => {});
  process.on("message", (request: Request) => {
    if ("stop" in request) running.get(request.id)?.abort();
    else void answer(request.id, request.name, request.args);
  });
  // At once: exiting would wait for the work on other threads.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}

function toSend(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), code: undefined };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { name: error.name, message: error.message, code };
}
