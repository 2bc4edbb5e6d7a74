import { expect, test, vi } from "vitest";
import { parseReference } from "../../src/sources/reference.ts";

const hub = (repository: string, file: object, revision = "main") => ({
  kind: "hub",
  repository,
  revision,
  file,
});

test.each([
  ["hf:user/repo:Q4_K_M", hub("user/repo", { tag: "Q4_K_M" })],
  ["hf:user/repo", hub("user/repo", { tag: "latest" })],
  ["hf:user/repo.v1-GGUF/folder/file.gguf", hub("user/repo.v1-GGUF", { path: "folder/file.gguf" })],
  ["hf:user/repo/file.gguf#branch", hub("user/repo", { path: "file.gguf" }, "branch")],
  ["hf://user/repo:Q8_0", hub("user/repo", { tag: "Q8_0" })],
  ["huggingface:user/repo:Q8_0", hub("user/repo", { tag: "Q8_0" })],
  ["hf.co/user/repo:Q8_0", hub("user/repo", { tag: "Q8_0" })],
  ["https://huggingface.co/user/repo", hub("user/repo", { tag: "latest" })],
  ["https://huggingface.co/user/repo/blob/main/a%20b.gguf", hub("user/repo", { path: "a b.gguf" })],
  [
    "https://huggingface.co/user/repo/resolve/v2/d/f.gguf?download=true",
    hub("user/repo", { path: "d/f.gguf" }, "v2"),
  ],
  ["http://host:8080/m.gguf?x=1", { kind: "url", url: new URL("http://host:8080/m.gguf?x=1") }],
  ["ollama:llama3.2:3b", { kind: "ollama", name: "llama3.2:3b" }],
  ["ollama:user/model", { kind: "ollama", name: "user/model" }],
  ["ollama:hf.co/user/repo:Q4_K_M", { kind: "ollama", name: "hf.co/user/repo:Q4_K_M" }],
  ["C:\\models\\m.gguf", { kind: "local", text: "C:\\models\\m.gguf" }],
  ["./m.gguf", { kind: "local", text: "./m.gguf" }],
  ["Qwen3-8B-Q4_K_M", { kind: "local", text: "Qwen3-8B-Q4_K_M" }],
])("understands %s", (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
});

test.each([
  ["HF_ENDPOINT", "hf-mirror.com"],
  ["HF_ENDPOINT", "localhost:8080"],
  ["MODEL_ENDPOINT", "https://"],
])("says that %s=%s is no address", (variable, value) => {
  vi.stubEnv("HF_ENDPOINT", "");
  vi.stubEnv(variable, value);
  expect(() => parseReference("https://huggingface.co/user/repo")).toThrow(
    expect.objectContaining({
      code: "SOURCE_ENDPOINT",
      message: expect.stringContaining(`The variable ${variable} is not an address`),
    }),
  );
  vi.unstubAllEnvs();
});

test("repeats no password of an endpoint", () => {
  for (const value of ["https://me:secret@mirror.example", "me:secret@mirror.example"]) {
    vi.stubEnv("HF_ENDPOINT", value);
    const parse = () => parseReference("https://huggingface.co/user/repo");
    expect(parse).toThrow(expect.objectContaining({ code: "SOURCE_ENDPOINT" }));
    expect(parse).not.toThrow(/secret/);
  }
  vi.unstubAllEnvs();
});

test("takes an empty HF_ENDPOINT for none", () => {
  vi.stubEnv("HF_ENDPOINT", "");
  vi.stubEnv("MODEL_ENDPOINT", "");
  expect(parseReference("https://huggingface.co/user/repo")).toMatchObject({ kind: "hub" });
  vi.unstubAllEnvs();
});

test.each([
  ["resolve/main/100%.gguf", "write %25"],
  ["resolve/%E0%A4%A/f.gguf", "write %25"],
])("refuses the Hub's address of %s", (rest, help) => {
  expect(() => parseReference(`https://huggingface.co/user/repo/${rest}`)).toThrow(
    expect.objectContaining({ code: "SOURCE_REFERENCE", message: expect.stringContaining(help) }),
  );
});

test.each([
  "",
  "hf:",
  "hf:user",
  "hf:user/repo:",
  "hf:user/../x",
  "https://",
  "https://huggingface.co/..%2F..%2Fx/repo",
  "ollama:",
  "ollama:a b",
])("refuses %j", (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "SOURCE_REFERENCE" }));
});

test("does not let a password into reports", () => {
  const parse = () => parseReference("https://me:secret@example.com/m.gguf");
  expect(parse).toThrow(expect.objectContaining({ code: "SOURCE_REFERENCE" }));
  expect(parse).not.toThrow(/secret/);
});

test("takes the addresses of the Hub's mirror for the Hub's", () => {
  vi.stubEnv("HF_ENDPOINT", "https://mirror.example/");
  expect(parseReference("https://mirror.example/user/repo/blob/main/f.gguf")).toEqual(
    hub("user/repo", { path: "f.gguf" }),
  );
  vi.unstubAllEnvs();
});
