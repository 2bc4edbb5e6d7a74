import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/gguf.ts";

const PLATFORM = `${process.platform}-${process.arch}`;
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

const npm = (args: readonly string[], cwd = resolve(".")) =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** The files that npm would publish. */
const files: readonly string[] = JSON.parse(
  npm(["pack", "--dry-run", "--json", "--ignore-scripts"]),
)[0].files.map(({ path }: { path: string }) => path);

test("publishes what is needed to run and to build, and nothing else", () => {
  const roots = [...new Set(files.map((path) => path.split("/")[0]))].filter((root) => root !== "prebuilds");
  expect(roots.sort()).toEqual(
    [
      "ARCHITECTURE.md",
      "CHANGELOG.md",
      "CMakeLists.txt",
      "LICENSE",
      "README.md",
      "binding.gyp",
      "calibration",
      "dist",
      "docs",
      "examples",
      "man",
      "native",
      "package.json",
      "schemas",
      "scripts",
    ].sort(),
  );
  expect(files.filter((path) => /(^|\/)test\/|(?<!\.d)\.ts$|\.gguf$/.test(path))).toEqual([]);
  expect(files.filter((path) => path.startsWith("scripts/"))).toEqual(["scripts/build-addon.js"]);
});

test("publishes everything that package.json names", () => {
  const named = (value: unknown): string[] =>
    typeof value === "string" ? [value] : Object.values(value ?? {}).flatMap(named);
  const paths = [manifest.bin, manifest.exports, manifest.types, manifest.man].flatMap(named);
  const pattern = (path: string) => path.replace(/^\.\//, "").replace("*", "");
  for (const path of paths) {
    expect(files.some((file) => file.startsWith(pattern(path)))).toBe(true);
  }
  expect(files).toContain("dist/cli/main.js");
});

test("makes a package for each platform, and one that names them", () => {
  const folder = temporaryFolder();
  for (const platform of ["linux-arm64", "darwin-arm64"]) {
    mkdirSync(join(folder, "addons", platform), { recursive: true });
    writeFileSync(join(folder, "addons", platform, "lorp.node"), platform);
  }
  const output = join(folder, "tarballs");
  execFileSync(process.execPath, ["scripts/pack-platforms.js", join(folder, "addons"), output]);
  const { version } = manifest;
  expect(readdirSync(output).sort()).toEqual([
    `lorp-${version}.tgz`,
    `lorp-darwin-arm64-${version}.tgz`,
    `lorp-linux-arm64-${version}.tgz`,
  ]);
  const unpack = (name: string) => {
    const target = join(folder, name);
    mkdirSync(target);
    execFileSync("tar", ["-xzf", join(output, `${name}-${version}.tgz`), "-C", target]);
    return join(target, "package");
  };
  const addon = unpack("lorp-darwin-arm64");
  expect(JSON.parse(readFileSync(join(addon, "package.json"), "utf8"))).toMatchObject({
    name: "lorp-darwin-arm64",
    version,
    os: ["darwin"],
    cpu: ["arm64"],
  });
  expect(readFileSync(join(addon, "lorp.node"), "utf8")).toBe("darwin-arm64");
  const main = unpack("lorp");
  expect(JSON.parse(readFileSync(join(main, "package.json"), "utf8"))).toMatchObject({
    dependencies: manifest.dependencies,
    optionalDependencies: { "lorp-darwin-arm64": version, "lorp-linux-arm64": version },
  });
  expect(existsSync(join(main, "prebuilds"))).toBe(false);
  expect(existsSync(join(main, "dist/cli/main.js"))).toBe(true);
});

/** Whether npm can ask its registry, without which nothing can be installed. */
function registryAnswers(): boolean {
  try {
    npm(["ping", "--fetch-retries=0", "--fetch-timeout=5000"]);
    return true;
  } catch {
    return false;
  }
}

test("its tarballs install without compiler, cmake and git, and do there what is done here", ({ skip }) => {
  skip(!registryAnswers(), "npm's registry cannot be reached");
  const folder = temporaryFolder();
  const addons = join(folder, "addons");
  mkdirSync(join(addons, PLATFORM), { recursive: true });
  cpSync("build/Release/lorp.node", join(addons, PLATFORM, "lorp.node"));
  const tarballs = join(folder, "tarballs");
  execFileSync(process.execPath, ["scripts/pack-platforms.js", addons, tarballs]);
  const said = execFileSync("bash", ["scripts/platforms/try-packages.sh", tarballs], { encoding: "utf8" });
  for (const what of ["inspection", "plan", "model"]) expect(said).toContain(`${what}: the same`);
  expect(said).toMatch(/installed: \d+ MB, llama\.cpp for [a-z0-9-]+$/m);
  expect(said).toContain(`lorp ${manifest.version}, llama.cpp`);
  expect(said).toMatch(/^cpu: similarities within .* of cpu$/m);
}, 300_000);
