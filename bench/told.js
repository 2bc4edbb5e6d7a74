/**
 * What commands say of the time that they take: seconds to the first line, seconds told beforehand, seconds taken. Every
 * command runs with an empty cache. Prints JSON, and a table on stderr.
 *
 *   node bench/told.js MODEL.gguf
 *
 * RUNS can be set by an environment variable, and ONLY says which commands run.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, printTable, two, usage } from "./measure.js";

const [model = usage("told.js MODEL.gguf")] = process.argv.slice(2);
const RUNS = Number(process.env.RUNS ?? 3);
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** @type {Record<string, string[]>} */
const COMMANDS = {
  inspect: [],
  analyze: [],
  eval: ["--skip-layers", "5", "--sequences", "8"],
  prune: ["--remove", "2", "--method", "shortgpt", "--dry-run"],
  compare: ["--remove", "1,2", "--methods", "shortgpt,streamline"],
};
const chosen = process.env.ONLY?.split(",") ?? Object.keys(COMMANDS);

/** `About 1 min 05 s at …` in seconds. @param {string} text */
function toldIn(text) {
  const match = /About (?:(\d+) h )?(?:(\d+) min ?)?(?:(\d+) s)?/.exec(text);
  if (!match) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return 3600 * hours + 60 * minutes + seconds;
}

/** @param {string} command @param {string[]} args */
async function time(command, args) {
  const folder = mkdtempSync(join(tmpdir(), "lorp-told-"));
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const env = { ...process.env, XDG_CACHE_HOME: folder };
  const child = spawn(process.execPath, [main, command, model, ...args], { env });
  let first = Number.NaN;
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      if (Number.isNaN(first)) first = seconds();
      said += chunk;
    });
  }
  const status = await new Promise((resolve) => child.on("close", resolve));
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${said}`);
  return { first, told: toldIn(said), taken: seconds() };
}

/** @type {Record<string, Awaited<ReturnType<typeof time>>[]>} */
const runs = Object.fromEntries(chosen.map((command) => [command, []]));
for (let run = 0; run < RUNS; run++) {
  for (const command of chosen) runs[command]?.push(await time(command, COMMANDS[command] ?? []));
}
const rows = Object.entries(runs).map(([command, times]) => {
  const told = times.flatMap((one) => one.told ?? []);
  const ratios = times.flatMap((one) => (one.told === undefined ? [] : [one.taken / one.told]));
  return [
    command,
    median(times.map(({ first }) => first)).toFixed(1),
    told.length === 0 ? "–" : median(told).toFixed(0),
    median(times.map(({ taken }) => taken)).toFixed(1),
    ratios.length === 0 ? "–" : ratios.map(two).join(", "),
  ];
});
printTable([["command", "first line, s", "told, s", "taken, s", "taken ÷ told"], ...rows]);
console.log(JSON.stringify(runs, null, 2));
