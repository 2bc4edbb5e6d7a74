import { type ChildProcess, fork } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { homeFolder } from "../environment.ts";
import { AbortedError, throwIfAborted } from "../errors.ts";
import { createLastWords } from "./last-words.ts";
import type { Calls, Request, Response, SentError } from "./messages.ts";

export interface CallOptions<Progress = unknown> {
  /** Asks the call to stop; it then rejects with AbortedError once it has. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A process of Node that works for this one, and can die without it. */
export interface Process<Offered extends Calls<Offered>> {
  /** @throws what the call threw; `ProcessDied` when the process ended before it answered */
  call<Name extends keyof Offered & string>(
    name: Name,
    args: Parameters<Offered[Name]>,
    options?: CallOptions,
  ): Promise<ReturnType<Offered[Name]>>;
  /** Ends it, whatever it does, and waits for that. */
  end(): Promise<void>;
  /** Fulfilled once it has ended, by itself or not. */
  readonly ended: Promise<void>;
}

/** The process ended while it worked. */
export class ProcessDied extends Error {
  /** What it last said on stderr, or the signal or the status that it ended with. */
  readonly lastWords: string;

  constructor(lastWords: string) {
    super(`the process ended: ${lastWords}`);
    this.lastWords = lastWords;
  }
}

/** What a call threw in the other process, where it is none of this project's errors. */
export class RemoteError extends Error {
  readonly code: string | undefined;

  constructor({ name, message, code }: SentError) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  progress(progress: unknown): void;
}

/** How long a process may take to stop a call before it is ended: its work may never do so. Milliseconds. */
const STOP_TIME = 20_000;

/** How long after its end a process's stderr is waited for: what it started may hold it open. Milliseconds. */
const LAST_WORDS_TIME = 500;

/**
 * Starts a process. It keeps this one alive only while a call is pending, and ends with it.
 * @param module what it runs, which calls `serve`: a path below src/, as it is built
 */
export function startProcess<Offered extends Calls<Offered>>(module: string): Process<Offered> {
  const child = fork(modulePath(module), {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      ...process.env,
      // ggml would start a debugger to print where it died.
      GGML_NO_BACKTRACE: "1",
      // node-llama-cpp asks for a home as it is loaded, and makes nothing there.
      HOME: homeFolder() ?? tmpdir(),
    },
  });
  const pending = new Map<number, Pending>();
  const words = createLastWords(child.stderr);
  let death: ProcessDied | undefined;
  let next = 0;

  const holdOpen = () => setRef(child, pending.size > 0);
  const settle = (id: number): Pending | undefined => {
    const call = pending.get(id);
    pending.delete(id);
    holdOpen();
    return call;
  };
  const killChild = () => void child.kill("SIGKILL");
  process.once("exit", killChild);
  const ended = new Promise<void>((resolve) => {
    const bury = (how: string) => {
      if (death) return;
      death = new ProcessDied(words() ?? how);
      process.off("exit", killChild);
      for (const { reject } of pending.values()) reject(death);
      pending.clear();
      resolve();
    };
    child.once("error", (error) => bury(error.message));
    child.once("exit", (code, signal) => {
      const how = signal ?? `status ${code}`;
      child.once("close", () => bury(how));
      setTimeout(() => bury(how), LAST_WORDS_TIME);
    });
  });
  child.on("message", (response: Response) => {
    if ("progress" in response) pending.get(response.id)?.progress(response.progress);
    else if ("result" in response) settle(response.id)?.resolve(response.result);
    else settle(response.id)?.reject(received(response.error));
  });
  holdOpen();

  return {
    ended,
    async call(name, args, { signal, onProgress } = {}) {
      throwIfAborted(signal);
      if (death) throw death;
      const id = next++;
      const send = (request: Request) => void child.send(request, () => {});
      let patience: NodeJS.Timeout | undefined;
      const stop = () => {
        send({ id, stop: true });
        patience = setTimeout(killChild, STOP_TIME);
      };
      signal?.addEventListener("abort", stop, { once: true });
      try {
        const result = await new Promise((resolve, reject) => {
          pending.set(id, { resolve, reject, progress: (progress) => onProgress?.(progress) });
          holdOpen();
          send({ id, name, args });
        });
        return result as never;
      } catch (error) {
        throw patience && error instanceof ProcessDied ? new AbortedError() : error;
      } finally {
        clearTimeout(patience);
        signal?.removeEventListener("abort", stop);
      }
    },
    end() {
      if (!death) setRef(child, true);
      killChild();
      // Node would not wait for the end of what it may leave behind.
      setRef(child, true);
      return ended;
    },
  };
}

function received(error: SentError): Error {
  return error.code === "ABORTED" ? new AbortedError() : new RemoteError(error);
}

/** Whether Node waits for the process before it exits. */
function setRef(child: ChildProcess, hold: boolean): void {
  const { channel, stderr } = child;
  for (const handle of [child, channel, stderr as { ref?(): void; unref?(): void } | null]) {
    if (hold) handle?.ref?.();
    else handle?.unref?.();
  }
}

/** From the sources, as in tests, what is built is run. */
function modulePath(module: string): string {
  const root = import.meta.url.endsWith(".ts") ? "../../dist/" : "../";
  return fileURLToPath(new URL(`${root}${module}.js`, import.meta.url));
}
