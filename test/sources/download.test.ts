import { createHash } from "node:crypto";
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { OWNER } from "../../src/files/owner.ts";
import { downloadAll } from "../../src/sources/download.ts";
import { buildGguf, temporaryFolder, u32 } from "../support/gguf.ts";
import { type FileServer, type Misbehaviour, sendFile, serveFiles } from "./file-server.ts";

const MODEL = buildGguf({
  metadata: { "test.number": u32(1) },
  tensors: [{ name: "weight", shape: [256, 1000] }],
});
const PATIENT = { pause: 1, patience: 5000 };

async function start(misbehave?: Misbehaviour, file = MODEL) {
  const server = await serveFiles({ "/m.gguf": file }, misbehave);
  const folder = temporaryFolder();
  const destination = join(folder, "m.gguf");
  const fetchModel = (options = {}) =>
    downloadAll([{ url: new URL("/m.gguf", server.url), destination }], { ...PATIENT, ...options });
  return { server, folder, destination, fetchModel };
}

/** Where the requests after the probe begin. */
const starts = ({ requests }: FileServer) =>
  requests.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));

test("fetches a file whole and leaves nothing else behind", async () => {
  const { folder, destination, fetchModel } = await start();
  const progress: [number, number][] = [];
  await fetchModel({ onProgress: (done: number, total: number) => progress.push([done, total]) });
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(readdirSync(folder)).toEqual(["m.gguf"]);
  expect(progress.at(-1)).toEqual([MODEL.length, MODEL.length]);
  expect(progress.every(([done], i) => i === 0 || done > (progress[i - 1]?.[0] ?? 0))).toBe(true);
});

test("goes on where a connection broke", async () => {
  let broken = 0;
  const { server, destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0" || broken++ === 3) return false;
    sendFile(MODEL, request.headers.range, response, 100_000);
    return true;
  });
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  const [first, ...later] = starts(server);
  expect(first).toBe(0);
  expect(later).toHaveLength(3);
  expect(later).toEqual([...later].filter((start) => start > 0 && start <= 300_000).sort((a, b) => a - b));
});

test("starts over when a connection broke and the server cannot send the rest", async () => {
  let calls = 0;
  const { destination, fetchModel } = await start((_request, response) => {
    sendFile(MODEL, undefined, response, ++calls === 2 ? 100_000 : undefined);
    return true;
  });
  await fetchModel();
  expect(calls).toBe(3);
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
});

test("keeps what came when the server is gone for good, and goes on in the next run", async () => {
  let dead = true;
  const { server, folder, destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0" || !dead) return false;
    if (request.headers.range === "bytes=0-") sendFile(MODEL, request.headers.range, response, 100_000);
    else response.destroy();
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({
    code: "DOWNLOAD_BROKEN",
    message: expect.stringMatching(new RegExp(` [1-9]\\d* of ${MODEL.length} bytes are kept`)),
  });
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^m\.gguf\.[0-9a-f]{12}\.part$/)]);
  dead = false;
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(starts(server).at(-1)).toBeGreaterThan(0);
});

test("does not put two versions of a file together", async () => {
  const { folder, destination, fetchModel } = await start();
  writeFileSync(join(folder, "m.gguf.0123456789ab.part"), "GGUF of another version");
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(readdirSync(folder)).toEqual(["m.gguf"]);
});

test("gives up on a connection over which nothing comes", async () => {
  const { fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    response.writeHead(206, { "content-range": `bytes 0-${MODEL.length - 1}/${MODEL.length}` });
    response.flushHeaders();
    return true;
  });
  await expect(fetchModel({ patience: 300 })).rejects.toMatchObject({
    code: "DOWNLOAD_BROKEN",
    message: expect.stringContaining("nothing came for 0.3 s"),
  });
});

test.each([
  ["fewer bytes than it said", MODEL.subarray(0, -100), "DOWNLOAD_BROKEN"],
  ["more bytes than it said", new Uint8Array([...MODEL, ...new Uint8Array(100)]), "DOWNLOAD_LENGTH"],
])("refuses %s", async (_, sent, code) => {
  const { folder, fetchModel } = await start((request, response) => {
    const { range } = request.headers;
    if (range === "bytes=0-0") return false;
    const from = Number(/\d+/.exec(range ?? "")?.[0]);
    const contentRange = `bytes ${from}-${MODEL.length - 1}/${MODEL.length}`;
    response.writeHead(206, { etag: '"version-1"', "content-range": contentRange });
    response.end(sent.subarray(from));
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code });
  expect(readdirSync(folder)).not.toContain("m.gguf");
});

test("refuses a range other than the one asked for", async () => {
  const { folder, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    sendFile(MODEL.subarray(10), "bytes=0-", response);
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_LENGTH" });
  expect(readdirSync(folder)).toEqual([]);
});

test("accepts a file whose size the server does not say", async () => {
  const { destination, fetchModel } = await start((_request, response) => {
    response.writeHead(200);
    response.end(MODEL);
    return true;
  });
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
});

test.each([
  ["a model", MODEL, "DOWNLOAD_LENGTH", 3 * 2 ** 20],
  ["something else", Buffer.alloc(2 ** 16, "x"), "DOWNLOAD_NOT_GGUF", 2 ** 21],
])("ends what its server sends without an end behind %s", async (_, begin, code, most) => {
  let sent = 0;
  const { folder, fetchModel } = await start((_request, response) => {
    const more = () => {
      if (response.destroyed) return;
      sent += 2 ** 16;
      response.write(Buffer.alloc(2 ** 16), more);
    };
    response.writeHead(200);
    response.write(begin, more);
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code });
  // Besides what lies in the connection's buffers.
  expect(sent).toBeLessThan(most + 16 * 2 ** 20);
  expect(readdirSync(folder)).toEqual([]);
});

test("refuses a web page", async () => {
  const { folder, fetchModel } = await start(undefined, Buffer.from("<!doctype html><title>Log in</title>"));
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_NOT_GGUF" });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  [401, "DOWNLOAD_DENIED"],
  [403, "DOWNLOAD_DENIED"],
  [404, "DOWNLOAD_NOT_FOUND"],
  [500, "DOWNLOAD_REFUSED"],
])("says what status %i means", async (status, code) => {
  const { server, fetchModel } = await start((_request, response) => {
    response.writeHead(status).end();
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code });
  expect(server.requests).toHaveLength(1);
});

test("bears a server that is busy for a moment", async () => {
  let busy = 2;
  const { destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0" || busy-- <= 0) return false;
    response.writeHead(503).end();
    return true;
  });
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
});

test("follows a redirect to another host without taking the token there", async () => {
  const cdn = await serveFiles({ "/blob": MODEL });
  const hub = await serveFiles({}, (_request, response) => {
    response.writeHead(302, { location: `${cdn.url}/blob` }).end();
    return true;
  });
  const destination = join(temporaryFolder(), "m.gguf");
  const headers = { authorization: "Bearer secret" };
  await downloadAll([{ url: new URL("/m.gguf", hub.url), destination, headers }], PATIENT);
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(hub.requests.every(({ authorization }) => authorization === "Bearer secret")).toBe(true);
  expect(cdn.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
});

test("says at once that a server cannot be reached", async () => {
  const download = {
    url: new URL("http://127.0.0.1:1/m.gguf"),
    destination: join(temporaryFolder(), "m.gguf"),
  };
  await expect(downloadAll([download])).rejects.toMatchObject({
    code: "DOWNLOAD_UNREACHABLE",
    message: expect.stringContaining("127.0.0.1:1"),
  });
});

test("stops when asked to and keeps what came", async () => {
  const controller = new AbortController();
  const { folder, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    response.writeHead(206, { "content-range": `bytes 0-${MODEL.length - 1}/${MODEL.length}` });
    response.write(MODEL.subarray(0, 1000));
    return true;
  });
  const onProgress = () => controller.abort();
  await expect(fetchModel({ signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: "ABORTED",
  });
  const [partial] = readdirSync(folder);
  expect(readFileSync(join(folder, partial ?? "")).equals(MODEL.subarray(0, 1000))).toBe(true);
});

test("says that a folder cannot be written to", async () => {
  const server = await serveFiles({ "/m.gguf": MODEL });
  const notAFolder = join(temporaryFolder(), "file");
  writeFileSync(notAFolder, "");
  const download = { url: new URL("/m.gguf", server.url), destination: join(notAFolder, "m.gguf") };
  await expect(downloadAll([download])).rejects.toMatchObject({ code: "DOWNLOAD_UNWRITABLE" });
});

test("several that fetch one file at the same time fetch it once", async () => {
  const { server, folder, destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    setTimeout(() => sendFile(MODEL, request.headers.range, response), 300);
    return true;
  });
  await Promise.all([fetchModel(), fetchModel(), fetchModel()]);
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(starts(server).filter(Number.isInteger)).toEqual([0]);
  expect(readdirSync(folder)).toEqual(["m.gguf"]);
});

test("takes over from a process that was killed", async () => {
  const { folder, destination, fetchModel } = await start();
  writeFileSync(`${destination}.lock`, `${OWNER.split("-")[0]}-99999999`);
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
  expect(readdirSync(folder)).toEqual(["m.gguf"]);
});

/** A server whose file is another one from the second request on, whatever the request's conditions. */
function changing(headers: (version: number) => Record<string, string>): Misbehaviour {
  let version = 0;
  return (request, response) => {
    if (request.headers.range !== "bytes=0-0") version++;
    const first = Number(/bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = `bytes ${first}-${MODEL.length - 1}/${MODEL.length}`;
    const content =
      version < 2 ? MODEL : Buffer.concat([MODEL.subarray(0, 4), Buffer.alloc(MODEL.length - 4, 7)]);
    response.writeHead(206, { "content-range": range, ...headers(version) });
    if (version === 1)
      response.write(content.subarray(first, 100_000), () => setTimeout(() => response.destroy(), 20));
    else response.end(content.subarray(first));
    return true;
  };
}

test.each([
  ["ignores If-Range", (version: number) => ({ etag: `"v${Math.min(version, 2) > 1 ? 2 : 1}"` })],
  [
    "changes a date",
    (version: number) => ({
      date: "Wed, 01 Jan 2025 12:00:00 GMT",
      "last-modified": `Wed, 01 Jan 2025 0${version > 1 ? 2 : 1}:00:00 GMT`,
    }),
  ],
])("does not put two versions together of a server that %s", async (_, headers) => {
  const { folder, fetchModel } = await start(changing(headers));
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_CHANGED" });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ["no ETag", {}],
  ["a weak ETag", { etag: 'W/"same"' }],
  [
    "a date of just now",
    { date: "Wed, 01 Jan 2025 12:00:00 GMT", "last-modified": "Wed, 01 Jan 2025 12:00:00 GMT" },
  ],
])("starts over where the server has %s", async (_, headers) => {
  const { destination, fetchModel } = await start((request, response) => {
    // Without a validator nobody asks for the rest.
    if (request.headers.range !== "bytes=0-0") {
      expect(request.headers.range).toBeUndefined();
      response.writeHead(200, { "content-length": MODEL.length }).end(MODEL);
      return true;
    }
    response.writeHead(206, { "content-range": `bytes 0-0/${MODEL.length}`, ...headers }).end("G");
    return true;
  });
  writeFileSync(`${destination}.0123456789ab.part`, MODEL.subarray(0, 1000));
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
});

test("starts over when the server does not have the rest any more", async () => {
  let calls = 0;
  const { destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    calls++;
    if (calls === 1) sendFile(MODEL, request.headers.range, response, 100_000);
    else if (calls === 2) response.writeHead(416).end();
    else return false;
    return true;
  });
  await fetchModel();
  expect(readFileSync(destination).equals(MODEL)).toBe(true);
});

test("writes no more than was announced", async () => {
  let sent = 0;
  const { folder, fetchModel } = await start((request, response) => {
    const headers = { etag: '"1"', "content-range": "bytes 0-999/1000" };
    response.writeHead(
      206,
      request.headers.range === "bytes=0-0" ? { ...headers, "content-range": "bytes 0-0/1000" } : headers,
    );
    if (request.headers.range === "bytes=0-0") return Boolean(response.end("G"));
    const more = () => {
      if (response.destroyed) return;
      sent += MODEL.length;
      response.write(MODEL, more);
    };
    more();
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_LENGTH" });
  expect(sent).toBeLessThan(20 * MODEL.length);
  expect(readdirSync(folder)).toEqual([]);
});

test("refuses an answer that is compressed", async () => {
  const { folder, fetchModel } = await start((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(MODEL));
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({
    code: "DOWNLOAD_REFUSED",
    message: expect.stringContaining("gzip"),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([[true], [false]])(
  "compares the SHA-256 that the Hub says on the way (right: %s)",
  async (right) => {
    const cdn = await serveFiles({ "/blob": MODEL });
    const digest = createHash("sha256")
      .update(right ? MODEL : "other")
      .digest("hex");
    const hub = await serveFiles({}, (_request, response) => {
      response.writeHead(302, { location: `${cdn.url}/blob`, "x-linked-etag": `"${digest}"` }).end();
      return true;
    });
    const folder = temporaryFolder();
    const fetching = downloadAll(
      [{ url: new URL("/m.gguf", hub.url), destination: join(folder, "m.gguf") }],
      PATIENT,
    );
    if (right) await fetching;
    else await expect(fetching).rejects.toMatchObject({ code: "DOWNLOAD_CHECKSUM" });
    expect(readdirSync(folder)).toEqual(right ? ["m.gguf"] : []);
  },
);

test.each([
  ["symbolic", symlinkSync],
  ["hard", linkSync],
])("follows no %s link at the place of what was fetched before", async (_, link) => {
  const { folder, destination, fetchModel } = await start((request, response) => {
    if (request.headers.range === "bytes=0-0") return false;
    if (request.headers.range === "bytes=0-") sendFile(MODEL, request.headers.range, response, 1000);
    else response.writeHead(503).end();
    return true;
  });
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_BROKEN" });
  const [partial = ""] = readdirSync(folder);
  expect(partial).toMatch(/\.part$/);
  const victim = join(temporaryFolder(), "victim");
  writeFileSync(victim, "precious");
  rmSync(join(folder, partial));
  link(victim, join(folder, partial));
  await expect(fetchModel()).rejects.toMatchObject({ code: "DOWNLOAD_BROKEN" });
  expect(readFileSync(victim, "utf8")).toBe("precious");
  expect(existsSync(destination)).toBe(false);
});

test("asks a server about a few files at a time", async () => {
  const names = Array.from({ length: 40 }, (_, i) => `/${i}.gguf`);
  let open = 0;
  let most = 0;
  const { url } = await serveFiles(
    Object.fromEntries(names.map((name) => [name, MODEL])),
    (request, response) => {
      most = Math.max(most, ++open);
      response.on("close", () => open--);
      setTimeout(() => sendFile(MODEL, request.headers.range, response), 5);
      return true;
    },
  );
  const folder = temporaryFolder();
  await downloadAll(
    names.map((name) => ({ url: new URL(name, url), destination: join(folder, name) })),
    PATIENT,
  );
  expect(readdirSync(folder)).toHaveLength(40);
  expect(most).toBeLessThanOrEqual(8);
});
