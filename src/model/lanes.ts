import type { Session } from "./session.ts";

/** Contexts over one model that run sequences side by side. */
export interface Lanes {
  /** Sequences that run at the same time. */
  readonly count: number;
  /** Tokens of a lane's micro-batch; the last bits of a result depend on it. */
  readonly microBatch: number;
  /** Does work with a lane's session, once one is free. */
  run<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  /** Stops what runs and frees the contexts. */
  close(): void;
}

/** @param stop aborts the sessions' calls */
export function createLanes(sessions: readonly Session[], microBatch: number, stop: () => void): Lanes {
  const idle = [...sessions];
  const waiting: ((session: Session) => void)[] = [];
  const take = async () => idle.pop() ?? (await new Promise<Session>((resolve) => waiting.push(resolve)));
  const giveBack = (session: Session) => {
    const next = waiting.shift();
    if (next) next(session);
    else idle.push(session);
  };
  return {
    count: sessions.length,
    microBatch,
    async run(work) {
      const session = await take();
      try {
        return await work(session);
      } finally {
        giveBack(session);
      }
    },
    close() {
      stop();
      for (const session of sessions) session.close();
    },
  };
}
