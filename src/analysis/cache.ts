import { rm } from "node:fs/promises";
import type { CachePlace } from "../files/cache-place.ts";
import type { SequenceSums } from "./capture.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";

/** The longest that what an unfinished capture has measured goes unsaved, milliseconds. */
const INTERVAL = 60_000;

/** The share of the time that saving may take; until a minute has passed nothing is saved that would take more. */
const SAVING_SHARE = 0.01;

/**
 * What was measured of a model on a text, in the user's cache folder. A capture that was finished, or that ended when
 * its answer had settled, serves every later one, whatever it is for; one that was interrupted serves those that resume.
 */
export interface CaptureCache {
  /** Sums of the first sequences, in order. */
  readonly earlier: readonly SequenceSums[];
  /** Saves an unfinished capture: the first time at once, then as often as costs next to nothing, at least every minute. */
  offer(measured: readonly SequenceSums[]): Promise<void>;
  /** Saves an interrupted capture, for a run that resumes. */
  interrupt(measured: readonly SequenceSums[]): Promise<void>;
  finish(measured: readonly SequenceSums[]): Promise<void>;
}

/**
 * @param place goes by everything that a sequence's sums depend on
 * @param resume whether to go on from an interrupted capture
 * @throws UsageError `CACHE_UNWRITABLE`; CheckpointError
 */
export async function openCaptureCache(
  { stem, unwritable }: CachePlace,
  resume: boolean,
): Promise<CaptureCache> {
  const finished = `${stem}.json`;
  const interrupted = `${stem}.checkpoint.json`;
  const kept = [await readKept(finished), ...(resume ? [await readKept(interrupted)] : [])];
  const earlier = kept.reduce((longest, one) => (one.length > longest.length ? one : longest));
  let due = 0;
  const save = async (path: string, measured: readonly SequenceSums[]) => {
    if (measured.length <= earlier.length) return;
    const start = performance.now();
    await writeCheckpoint(path, measured).catch(unwritable);
    const end = performance.now();
    due = end + Math.min(INTERVAL, (end - start) / SAVING_SHARE);
  };
  return {
    earlier,
    async offer(measured) {
      if (performance.now() >= due) await save(interrupted, measured);
    },
    interrupt: (measured) => save(interrupted, measured),
    async finish(measured) {
      await save(finished, measured);
      await rm(interrupted, { force: true });
    },
  };
}

/** What can be read of a cached file; one that is damaged is measured anew and replaced. */
function readKept(path: string): Promise<readonly SequenceSums[]> {
  return readCheckpoint(path).catch((error: unknown) => {
    if (error instanceof CheckpointError) return [];
    throw error;
  });
}
