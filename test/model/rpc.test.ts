import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const backend =
  process.env.LORP_RPC_BACKEND ?? fileURLToPath(new URL("../../build/rpc/libggml-rpc.so", import.meta.url));

/** A port that nobody uses at the moment. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function startServer(): Promise<string> {
  const port = await freePort();
  const server: ChildProcess = spawn(join(dirname(backend), "rpc-server"), ["-p", `${port}`, "-t", "1"], {
    stdio: "ignore",
  });
  onTestFinished(() => void server.kill());
  await sleep(1000);
  return `127.0.0.1:${port}`;
}

test.skipIf(!existsSync(backend))("a server that does not answer is told", async () => {
  const { status, stderr } = await lorp([
    "analyze",
    EXAMPLE_MODEL,
    "--no-cache",
    "--rpc",
    `127.0.0.1:${await freePort()}`,
  ]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^lorp: Cannot compute on 127\.0\.0\.1:\d+: connect ECONNREFUSED .*rpc-server/m);
});

// Building the backend takes a minute: scripts/build-rpc.sh
test.skipIf(!existsSync(backend))("two servers give the Analysis of one machine", async () => {
  const settings = [
    "--gpu",
    "off",
    "--sequences",
    "2",
    "--sequence-length",
    "128",
    "--no-cache",
    "--json",
    "-q",
  ];
  const servers = [await startServer(), await startServer()];
  const analyze = async (...options: string[]) => {
    const { stdout, stderr, status } = await lorp(["analyze", EXAMPLE_MODEL, ...settings, ...options]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return JSON.parse(stdout) as { similarity: number[][]; clusters: number[] };
  };
  const local = await analyze();
  const remote = await analyze("--rpc", servers.join(","));
  expect(remote.clusters).toEqual(local.clusters);
  const differences = remote.similarity.flatMap((row, i) =>
    row.map((value, j) => Math.abs(value - local.similarity[i]![j]!)),
  );
  expect(Math.max(...differences)).toBeLessThan(1e-3);
});
