// @ts-check

/** @param {number[]} numbers */
export const median = (numbers) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/**
 * Runs the same things in turn, again and again, so that what else the machine does falls on all of them alike.
 * @param {Record<string, () => Promise<unknown>>} things
 * @param {number} runs
 * @returns for each of them the wall and processor seconds of every run
 */
export async function alternate(things, runs) {
  const times = Object.fromEntries(
    Object.keys(things).map((name) => [
      name,
      { wall: /** @type {number[]} */ ([]), cpu: /** @type {number[]} */ ([]) },
    ]),
  );
  for (let run = 0; run < runs; run++) {
    for (const [name, thing] of Object.entries(things)) {
      const cpu = process.cpuUsage();
      const start = performance.now();
      await thing();
      times[name]?.wall.push((performance.now() - start) / 1000);
      const used = process.cpuUsage(cpu);
      times[name]?.cpu.push((used.user + used.system) / 1e6);
    }
  }
  return times;
}

/** The median of the ratios of runs that followed each other. @param {number[]} some @param {number[]} others */
export const medianRatio = (some, others) =>
  median(some.map((value, run) => value / (others[run] ?? Number.NaN)));

/** @param {string[][]} rows the first is the head */
export function printTable(rows) {
  const [head = [], ...body] = rows;
  for (const row of [head, head.map(() => "---"), ...body]) console.error(`| ${row.join(" | ")} |`);
}
