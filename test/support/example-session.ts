import { describeArchitecture } from "../../src/architecture/architecture.ts";
import type { StateTensors } from "../../src/architecture/types.ts";
import { perplexityOf } from "../../src/evaluation/perplexity.ts";
import { scoreWindows } from "../../src/evaluation/scores.ts";
import type { Windows } from "../../src/evaluation/windows.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createLanes, type Lanes } from "../../src/model/lanes.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import type { BlockChanges, Session } from "../../src/model/session.ts";

export interface OpenedExample {
  readonly model: Model;
  readonly states: StateTensors;
  openSession(sequenceLength: number, microBatch?: number): Session;
  close(): void;
}

/** A model open on one CPU thread, so that results are the same everywhere. */
export async function openOnCpu(path: string): Promise<OpenedExample> {
  const { states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const sessions: Session[] = [];
  return {
    model,
    states,
    openSession(sequenceLength, microBatch = 48) {
      const session = model.openSession({ sequenceLength, microBatch, states });
      sessions.push(session);
      return session;
    },
    close() {
      for (const session of sessions) session.close();
      model.close();
    },
  };
}

/** A session where lanes are wanted: sequences run in turn. */
export const oneLane = (session: Session): Lanes => createLanes([session], 0, () => {});

export async function perplexity(session: Session, windows: Windows, changes: BlockChanges = {}) {
  return perplexityOf((await scoreWindows(oneLane(session), windows, changes)).logProb);
}
