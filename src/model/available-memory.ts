import { readFile } from "node:fs/promises";

/**
 * Bytes of memory that can be had: of a container, what it has left and what it holds of files that it can drop (its
 * inactive page cache), but no more than the machine has.
 */
export async function availableMemory(): Promise<number> {
  const own = process.availableMemory();
  if (process.platform !== "linux") return own;
  const [machine, groups] = await Promise.all([readText("/proc/meminfo"), readText("/proc/self/cgroup")]);
  const stats = await Promise.all(statFiles(groups).map(readText));
  return withReclaimable(own, machine, stats.find((stat) => stat !== "") ?? "");
}

/**
 * @param own what Node says: the least of what the machine has and of a container's limit less all that it uses
 * @param machine /proc/meminfo
 * @param stat the container's memory.stat
 */
export function withReclaimable(own: number, machine: string, stat: string): number {
  const available = 1024 * numberAfter(machine, "MemAvailable:");
  if (own >= available) return own;
  const inactive = numberAfter(stat, "total_inactive_file") || numberAfter(stat, "inactive_file");
  return Math.min(available, own + inactive);
}

/** Where the memory.stat of this process's control group may be, in version 2, version 1, and seen from inside. */
function statFiles(groups: string): string[] {
  const root = "/sys/fs/cgroup";
  const v2 = /^0::(.*)$/m.exec(groups)?.[1] ?? "";
  const v1 = /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m.exec(groups)?.[1];
  return [
    ...(v1 === undefined ? [] : [`${root}/memory${v1}/memory.stat`, `${root}/memory/memory.stat`]),
    `${root}${v2}/memory.stat`,
    `${root}/memory.stat`,
  ];
}

const numberAfter = (text: string, key: string): number =>
  Number(new RegExp(`^${key}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

const readText = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
