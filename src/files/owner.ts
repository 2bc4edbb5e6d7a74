import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Where a process number means what it means here: this machine, and on Linux this container. */
const PLACE = createHash("sha256").update(`${hostname()} ${namespace()}`).digest("hex").slice(0, 6);

/** This process among all that may write to the same disk: `<place>-<process>`. */
export const OWNER = `${PLACE}-${process.pid}`;

/** What `OWNER` of any process looks like. */
export const OWNER_PATTERN = "[0-9a-f]{6}-\\d+";

const DAY = 24 * 60 * 60 * 1000;

/**
 * Whether the process that made a file has ended without taking it away.
 * @param modified when the file was last written to, milliseconds
 * @param patience for how long the file of a process that cannot be seen from here is left alone, milliseconds
 */
export function isAbandoned(owner: string, modified: number, patience = DAY): boolean {
  const [place, pid] = owner.split("-");
  if (place !== PLACE) return Date.now() - modified > patience;
  // In a container every run may have the same number: what is older than this process is not this process's.
  if (Number(pid) === process.pid) return modified < Date.now() - process.uptime() * 1000;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
