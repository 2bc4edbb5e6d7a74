import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { buildGguf, str, temporaryFolder, u32 } from "../support/gguf.ts";

/** A small model's file; another one for another name. */
export function smallModel(name: string, blocks = 4): Uint8Array {
  return buildGguf({
    metadata: {
      "general.architecture": str("llama"),
      "general.name": str(name),
      "llama.block_count": u32(blocks),
    },
    tensors: [
      { name: "token_embd.weight", shape: [32, 4] },
      ...Array.from({ length: blocks }, (_, block) => ({
        name: `blk.${block}.attn_norm.weight`,
        shape: [8],
      })),
    ],
  });
}

/** An empty home folder in the place of the user's, until the test ends. */
export function temporaryHome(): string {
  const home = temporaryFolder();
  const cleared = ["LORP_MODELS", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "LLAMA_CACHE"];
  for (const name of [...cleared, "OLLAMA_MODELS", "HF_ENDPOINT", "MODEL_ENDPOINT"])
    vi.stubEnv(name, undefined);
  for (const name of ["HOME", "USERPROFILE"]) vi.stubEnv(name, home);
  onTestFinished(() => void vi.unstubAllEnvs());
  return home;
}

export function put(path: string, content: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Lays a file out as Hugging Face's own tools do: a blob, a link to it from a snapshot, and what names the snapshot. */
export function putInHubCache(
  cache: string,
  repository: string,
  revision: string,
  file: string,
  content: Uint8Array,
  references: readonly string[] = ["main"],
) {
  const folder = join(cache, `models--${repository.replace("/", "--")}`);
  const digest = createHash("sha256").update(content).digest("hex");
  const blob = put(join(folder, "blobs", digest), content);
  for (const reference of references) put(join(folder, "refs", reference), revision);
  const link = join(folder, "snapshots", revision, file);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(blob, link);
  return link;
}

/** What is kept beside a language model: a projector of images. */
export function projector(): Uint8Array {
  return buildGguf({ metadata: { "general.architecture": str("clip"), "general.type": str("mmproj") } });
}

export interface OllamaLayers {
  readonly model?: Uint8Array;
  readonly template?: string;
  readonly system?: string;
  readonly params?: object | string;
  readonly adapter?: string;
}

/** Lays a model out as Ollama does: a manifest that names blobs by their digest. */
export function putInOllama(store: string, manifest: string, layers: OllamaLayers): Record<string, string> {
  const blobs: Record<string, string> = {};
  const described = Object.entries(layers).map(([kind, value]) => {
    const content = value instanceof Uint8Array || typeof value === "string" ? value : JSON.stringify(value);
    const bytes = Buffer.from(content);
    const digest = createHash("sha256").update(bytes).digest("hex");
    blobs[kind] = put(join(store, "blobs", `sha256-${digest}`), bytes);
    return {
      mediaType: `application/vnd.ollama.image.${kind}`,
      digest: `sha256:${digest}`,
      size: bytes.length,
    };
  });
  put(
    join(store, "manifests", manifest),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        digest: `sha256:${"0".repeat(64)}`,
      },
      layers: described,
    }),
  );
  return blobs;
}
