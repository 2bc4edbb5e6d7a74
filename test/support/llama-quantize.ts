import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));
const PACKAGES = fileURLToPath(new URL("../../node_modules/", import.meta.url));

/**
 * llama.cpp's own llama-quantize, compiled from the sources that node-llama-cpp carries and linked to its libraries;
 * undefined where it carries none for this system, or there is no compiler.
 */
export function llamaQuantize(): ((args: readonly string[]) => void) | undefined {
  if (process.platform !== "linux") return undefined;
  const platform = `linux-${process.arch}`;
  const libraries = join(PACKAGES, "@node-llama-cpp", platform, "bins", platform);
  if (!existsSync(join(libraries, "libllama-common.so"))) return undefined;
  const { release } = JSON.parse(
    readFileSync(join(PACKAGES, "node-llama-cpp/llama/binariesGithubRelease.json"), "utf8"),
  );
  const tool = join(BUILD, `llama-quantize-${release}`);
  try {
    if (!existsSync(tool)) compile(join(PACKAGES, "node-llama-cpp/llama/gitRelease.bundle"), libraries, tool);
  } catch {
    return undefined;
  }
  return (args) => void execFileSync(tool, args, { stdio: "ignore" });
}

function compile(bundle: string, libraries: string, tool: string): void {
  mkdirSync(BUILD, { recursive: true });
  const folder = mkdtempSync(join(BUILD, "llama-quantize-"));
  try {
    const git = join(folder, "llama.git");
    execFileSync("git", ["clone", "--quiet", "--bare", bundle, git]);
    const sources = join(folder, "sources.tar");
    execFileSync("git", [
      "--git-dir",
      git,
      "archive",
      "-o",
      sources,
      "HEAD",
      "include",
      "ggml/include",
      "common",
      "tools/quantize",
    ]);
    execFileSync("tar", ["-xf", sources, "-C", folder]);
    const shared = readdirSync(libraries).filter((name) =>
      /^lib(llama|ggml|ggml-base|llama-common)(\.v[\d.]+)?\.so$/.test(name),
    );
    execFileSync(
      "c++",
      [
        ...["-O1", "-std=c++17", "-o", join(folder, "tool")],
        ...["include", "ggml/include", "common"].map((name) => `-I${join(folder, name)}`),
        ...["main.cpp", "quantize.cpp"].map((name) => join(folder, "tools/quantize", name)),
        ...shared.map((name) => join(libraries, name)),
        ...[`-Wl,-rpath,${libraries}`, "-lpthread"],
      ],
      { stdio: "ignore" },
    );
    renameSync(join(folder, "tool"), tool);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
