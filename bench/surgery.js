// What `lorp apply` costs beside `cp` of as many bytes (time, memory, new disk space), and what `lorp inspect` takes longer
// than `node -e 0`. Needs `npm run build` first.
//
//   node bench/surgery.js [--size GB] [--runs N] [--loop btrfs,xfs] [FOLDER…]
//
// Each folder is measured on its own file system (the system's temporary folder unless given); --loop makes, mounts and
// removes file systems in a file, which needs root. Runs alternate; the files that a run wrote are gone, and the disk is
// quiet, before the next one begins. Prints a table on stderr and JSON on stdout.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { headerOf, uint32, vector } from "./header.js";
import { median, printTable, two } from "./measure.js";

const BLOCKS = 36;
const REMOVED = [7, 8, 15, 20, 22];
const CLI = new URL("../dist/cli/main.js", import.meta.url).pathname;

/**
 * Writes a model in the shape of Qwen3, whose 512-byte norms make sharing blocks hard, with random weights.
 * @param {string} path
 * @param {number} bytes that it has about
 */
function writeModel(path, bytes) {
  const width = 4096;
  const rows = Math.floor(bytes / ((7 * BLOCKS + 6) * width * 2));
  const matrix = (/** @type {string} */ name, /** @type {number} */ n) => ({
    name,
    shape: [width, n],
    type: 1,
    byteLength: width * n * 2,
  });
  const tensors = [
    matrix("token_embd.weight", 3 * rows),
    ...Array.from({ length: BLOCKS }, (_, i) => [
      vector(`blk.${i}.attn_norm.weight`, width),
      vector(`blk.${i}.attn_q_norm.weight`, 128),
      vector(`blk.${i}.attn_k_norm.weight`, 128),
      vector(`blk.${i}.ffn_norm.weight`, width),
      ...["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].map((kind) =>
        matrix(`blk.${i}.${kind}.weight`, rows),
      ),
    ]).flat(),
    vector("output_norm.weight", width),
    matrix("output.weight", 3 * rows),
  ];
  const header = headerOf(
    {
      "general.architecture": { type: "string", value: "qwen3" },
      "qwen3.block_count": uint32(BLOCKS),
      "qwen3.embedding_length": uint32(width),
    },
    tensors,
  );
  const file = openSync(path, "w");
  writeSync(file, header.bytes);
  const noise = randomBytes(8 << 20);
  for (let at = header.bytes.length; at < header.fileSize; at += noise.length) {
    writeSync(file, noise, 0, Math.min(noise.length, header.fileSize - at), at);
  }
  closeSync(file);
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @returns seconds, and its peak memory in bytes (Linux)
 */
async function timed(command, ...args) {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  let peak = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {}
  };
  const timer = setInterval(look, 10);
  const code = await new Promise((done) => child.on("close", done));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
  return { seconds: (performance.now() - start) / 1000, peak };
}

const settle = () => execFileSync("sync");
/** Makes the next read of a file come from the disk. @param {string} path */
const forget = (path) => execFileSync("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]);
/** @param {string} path */
const remember = (path) => execFileSync("dd", [`if=${path}`, "of=/dev/null", "bs=4M", "status=none"]);

/** @param {string} folder */
function usedBytes(folder) {
  settle();
  const { blocks, bfree, bsize } = statfsSync(folder);
  return (blocks - bfree) * bsize;
}

/** @typedef {"inspect" | "lorp" | "cp" | "cpSync" | "peak" | "added"} Measured */

/**
 * One row: what was measured in a folder, with the input's pages in memory or not.
 * @param {string} folder
 * @param {string} cache "warm" or "cold"
 * @param {number} runs
 */
async function measure(folder, cache, runs) {
  const at = (/** @type {string} */ name) => join(folder, name);
  const apply = () =>
    timed("node", CLI, "apply", at("m.gguf"), at("plan.json"), "-o", at("out.gguf"), "--force", "--quiet");
  await apply();
  // cp's input is a file of as many bytes as lorp writes.
  execFileSync("cp", ["--reflink=never", at("out.gguf"), at("same-size")]);
  /** @type {Record<Measured, number>[]} */
  const rows = [];
  for (let run = 0; run < runs; run++) {
    rmSync(at("out.gguf"));
    const [prepare, before] = [cache === "cold" ? forget : remember, usedBytes(folder)];
    prepare(at("m.gguf"));
    const lorp = await apply();
    const added = usedBytes(folder) - before;
    prepare(at("same-size"));
    const cp = await timed("cp", "--reflink=never", at("same-size"), at("copy"));
    const sync = await timed("sync", at("copy"));
    rmSync(at("copy"));
    settle();
    prepare(at("m.gguf"));
    const inspect = await timed("node", CLI, "inspect", at("m.gguf"));
    const nothing = await timed("node", "-e", "0");
    rows.push({
      inspect: inspect.seconds - nothing.seconds,
      lorp: lorp.seconds,
      cp: cp.seconds,
      cpSync: cp.seconds + sync.seconds,
      peak: lorp.peak,
      added,
    });
  }
  const bytes = statSync(at("out.gguf")).size;
  rmSync(at("same-size"));
  const of = (/** @type {Measured} */ key) => median(rows.map((row) => row[key]));
  return {
    cache,
    bytes,
    runs,
    seconds: { lorp: of("lorp"), cp: of("cp"), cpAndSync: of("cpSync") },
    ratio: {
      cp: median(rows.map((r) => r.lorp / r.cp)),
      cpAndSync: median(rows.map((r) => r.lorp / r.cpSync)),
    },
    inspectExtraSeconds: of("inspect"),
    peakMegabytes: Math.max(...rows.map(({ peak }) => peak)) / 1e6,
    newDiskShare: of("added") / bytes,
  };
}

/**
 * @param {string} parent
 * @param {string} fileSystem
 * @param {{ size: number, runs: number }} options
 */
async function measureFolder(parent, fileSystem, { size, runs }) {
  const folder = mkdtempSync(join(parent, "lorp-bench-"));
  try {
    writeModel(join(folder, "m.gguf"), size);
    const kept = Array.from({ length: BLOCKS }, (_, i) => i).filter((i) => !REMOVED.includes(i));
    /** @type {import("../dist/index.js").Plan} */
    const plan = {
      schemaVersion: 1,
      model: { blockCount: BLOCKS },
      method: "named",
      budget: REMOVED.length,
      removedLayers: REMOVED,
      keptLayers: kept,
      removals: REMOVED.map((layer) => ({ layer, reason: "named", score: null, text: "bench" })),
      passedOver: [],
    };
    writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
    const rows = [];
    for (const cache of ["warm", "cold"]) rows.push({ fileSystem, ...(await measure(folder, cache, runs)) });
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} kind
 * @param {{ size: number, runs: number }} options
 */
async function measureLoop(kind, options) {
  const folder = mkdtempSync(join(tmpdir(), "lorp-bench-"));
  const [image, mounted] = [join(folder, "image"), join(folder, "mounted")];
  try {
    writeFileSync(image, "");
    truncateSync(image, options.size * 4 + 2e9);
    mkdirSync(mounted);
    execFileSync(`mkfs.${kind}`, ["-q", image]);
    execFileSync("mount", ["-o", "loop", image, mounted]);
    try {
      return await measureFolder(mounted, `${kind} (loop)`, options);
    } finally {
      execFileSync("umount", [mounted]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {{ folders?: string[], loops?: string[], size?: number, runs?: number }} options */
export async function benchSurgery({ folders = [tmpdir()], loops = [], size = 4e9, runs = 7 } = {}) {
  const rows = [];
  for (const folder of folders) {
    const name = execFileSync("stat", ["-f", "-c", "%T", folder], { encoding: "utf8" }).trim();
    rows.push(...(await measureFolder(folder, name, { size, runs })));
  }
  for (const kind of loops) rows.push(...(await measureLoop(kind, { size, runs })));
  return rows;
}

/** @param {Awaited<ReturnType<typeof benchSurgery>>} rows */
export function printSurgery(rows) {
  printTable([
    [
      "file system",
      "cache",
      "lorp s",
      "cp s",
      "cp+sync s",
      "÷ cp",
      "÷ cp+sync",
      "peak MB",
      "new disk",
      "inspect − node s",
    ],
    ...rows.map(({ fileSystem, cache, seconds, ratio, peakMegabytes, newDiskShare, inspectExtraSeconds }) => [
      fileSystem,
      cache,
      ...[seconds.lorp, seconds.cp, seconds.cpAndSync, ratio.cp, ratio.cpAndSync].map(two),
      `${Math.round(peakMegabytes)}`,
      two(newDiskShare),
      two(inspectExtraSeconds),
    ]),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { size: { type: "string" }, runs: { type: "string" }, loop: { type: "string" } },
  });
  const rows = await benchSurgery({
    ...(positionals.length > 0 && { folders: positionals }),
    ...(values.loop && { loops: values.loop.split(","), folders: positionals }),
    size: Number(values.size ?? 4) * 1e9,
    runs: Number(values.runs ?? 7),
  });
  printSurgery(rows);
  console.log(JSON.stringify(rows, null, 2));
}
