import { GPU_CHOICES } from "../dist/model/gpu.js";
import { processorSeconds } from "./processes.js";

/** Ends a benchmark whose arguments lack something. @param {string} line @returns {never} */
export function usage(line) {
  throw new Error(`usage: node bench/${line}`);
}

/**
 * A word that somebody chose, as one of those that there are.
 * @template {string} Choice
 * @param {string} word
 * @param {readonly Choice[]} choices
 */
export function oneOf(word, choices) {
  const chosen = choices.find((choice) => choice === word);
  if (chosen === undefined) throw new Error(`${word} is none of ${choices.join(", ")}`);
  return chosen;
}

/** What computes, as GPU in the environment says: the CPU without it. */
export const chosenGpu = () => oneOf(process.env.GPU ?? "off", GPU_CHOICES);

/** @param {number[]} numbers */
export const median = (numbers) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** @typedef {{ wall: number[], cpu: number[] }} Times seconds of every run */

/**
 * Runs the same things in turn, again and again, so that what else the machine does falls on all of them alike.
 * @template {string} Name
 * @param {Record<Name, () => Promise<unknown>>} things
 * @param {number} runs
 * @returns for each of them the wall and processor seconds of every run
 */
export async function alternate(things, runs) {
  const names = /** @type {Name[]} */ (Object.keys(things));
  /** @returns {Times} */
  const none = () => ({ wall: [], cpu: [] });
  const times = /** @type {Record<Name, Times>} */ (Object.fromEntries(names.map((name) => [name, none()])));
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const cpu = processorSeconds();
      const start = performance.now();
      await things[name]();
      times[name].wall.push((performance.now() - start) / 1000);
      times[name].cpu.push(processorSeconds() - cpu);
    }
  }
  return times;
}

/** The median of the ratios of runs that followed each other. @param {number[]} some @param {number[]} others */
export const medianRatio = (some, others) =>
  median(some.map((value, run) => value / (others[run] ?? Number.NaN)));

/** @param {number} value */
export const two = (value) => value.toFixed(2);

/** @param {number} share */
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

/** @param {string[][]} rows the first is the head */
export function printTable(rows) {
  const [head = [], ...body] = rows;
  for (const row of [head, head.map(() => "---"), ...body]) console.error(`| ${row.join(" | ")} |`);
}
