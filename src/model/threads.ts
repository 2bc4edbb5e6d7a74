import { availableParallelism, cpus } from "node:os";

/** How long the machine is watched, milliseconds; processors' times are counted in steps of ten. */
const WATCH = 100;

/**
 * Threads for a context that runs alone. They wait for each other at every tensor by spinning, so that one more than the
 * idle processors slows down all of them: physical cores at most, and fewer where others keep the machine busy.
 * @param mathCores physical cores, as llama.cpp counts them
 * @param idle processors that others leave idle
 */
export function usefulThreads(mathCores: number, idle: number): number {
  // A processor that others take a quarter of still helps.
  return Math.max(1, Math.min(physicalCores(mathCores), Math.floor(idle + 0.25)));
}

/** Physical cores that this process may use. */
export function physicalCores(mathCores: number): number {
  return Math.max(1, Math.min(mathCores, availableParallelism()));
}

/** Watches the machine for a moment. @returns processors that other processes leave idle; Infinity where it is not told */
export async function idleProcessors(): Promise<number> {
  const before = usage();
  await new Promise((resolve) => setTimeout(resolve, WATCH));
  const after = usage();
  if (after.processors === 0) return Number.POSITIVE_INFINITY;
  const busy = (after.all - before.all - (after.own - before.own)) / (after.time - before.time);
  return Math.max(0, after.processors - Math.max(0, busy));
}

/** Milliseconds that all processes, and this one, have used of the processors so far. */
function usage(): { processors: number; all: number; own: number; time: number } {
  const times = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  const { user, system } = process.cpuUsage();
  return {
    processors: times.length,
    all: times.reduce((sum, time) => sum + time, 0),
    own: (user + system) / 1000,
    time: performance.now(),
  };
}
