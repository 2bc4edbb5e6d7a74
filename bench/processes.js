import { readFileSync } from "node:fs";

/** This process and those that it started, one of which runs llama.cpp (Linux). */
function processes() {
  const started = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
  return [`${process.pid}`, ...started.split(" ").filter(Boolean)];
}

/** Hundredths of a second are what Linux counts processor time in. */
const TICKS = 100;

/** Processor seconds that they have used, as long as they run. */
export function processorSeconds() {
  return processes().reduce((sum, pid) => {
    // The name before may hold spaces; user and system time are the 14th and 15th field of all.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS;
  }, 0);
}

/** Their resident memory, bytes: now, that part of it that is mapped files, and at most. */
export function resident() {
  const statuses = processes().map((pid) => readFileSync(`/proc/${pid}/status`, "utf8"));
  const of = (/** @type {string} */ key) =>
    statuses.reduce(
      (sum, status) => sum + 1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]),
      0,
    );
  return { now: of("VmRSS"), files: of("RssFile"), most: of("VmHWM") };
}
