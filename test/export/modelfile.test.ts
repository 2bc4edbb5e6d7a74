import { join } from "node:path";
import { expect, test } from "vitest";
import { modelfile } from "../../src/export/modelfile.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import type { OllamaSettings } from "../../src/sources/ollama.ts";
import { buildGguf, f32, i32, str, temporaryFolder, writeInto } from "../support/gguf.ts";

async function write(
  metadata: Record<string, GgufValue>,
  ollama?: OllamaSettings,
  place: { model?: string; modelfile?: string } = {},
) {
  const file = await readGguf(writeInto(temporaryFolder(), "m.gguf", buildGguf({ metadata })));
  return modelfile({
    model: "/models/Books-Pruned.gguf",
    modelfile: "/models/Modelfile",
    metadata: file.metadata,
    ollama,
    ...place,
  });
}

test("carries over what Ollama knew of the original", async () => {
  const text = await write(
    {},
    {
      template: '{{ if .System }}<|system|>\n"{{ .System }}"{{ end }}\n',
      system: "Be brief.",
      parameters: { temperature: 0.6, stop: ["<|end|>", "\n\n"], num_ctx: 8192, penalize_newline: false },
    },
  );
  expect(text).toBe(`# ollama create books-pruned -f Modelfile
FROM ./Books-Pruned.gguf
TEMPLATE """{{ if .System }}<|system|>
"{{ .System }}"{{ end }}
"""
SYSTEM """Be brief."""
PARAMETER temperature 0.6
PARAMETER stop "<|end|>"
PARAMETER stop """

"""
PARAMETER num_ctx 8192
PARAMETER penalize_newline false
`);
});

test("takes the parameters that the file itself recommends", async () => {
  const text = await write({
    "tokenizer.chat_template": str("{{ messages }}"),
    "general.sampling.temp": f32(0.6),
    "general.sampling.top_k": i32(20),
  });
  expect(text).toBe(`# ollama create books-pruned -f Modelfile
FROM ./Books-Pruned.gguf
# No TEMPLATE: Ollama looks up the one that belongs to the chat template in the file.
PARAMETER temperature 0.6
PARAMETER top_k 20
`);
});

test("says that there is no chat template", async () => {
  expect(await write({})).toContain("has no chat template");
});

test("names the model relative to the Modelfile", async () => {
  const place = { model: join("/models", "sub folder", "m.gguf"), modelfile: "/models/other/Modelfile" };
  expect(await write({}, undefined, place)).toContain("FROM ./../sub folder/m.gguf\n");
});

test.each([
  { template: 'ends with "', parameters: {} },
  { system: 'has """ in it', parameters: {} },
  { parameters: { stop: ['"'] } },
])("refuses what a Modelfile cannot hold: %j", async (ollama) => {
  await expect(write({}, ollama)).rejects.toMatchObject({ code: "MODELFILE_QUOTES" });
});

test("lets no name begin another command", async () => {
  const refused = { code: "MODELFILE_QUOTES" };
  await expect(write({}, { parameters: { "temperature 1\nSYSTEM": 1 } })).rejects.toMatchObject(refused);
  await expect(write({}, undefined, { model: "/models/a\nADAPTER b.gguf" })).rejects.toMatchObject(refused);
  await expect(write({}, undefined, { modelfile: "/models/a\nADAPTER b" })).rejects.toMatchObject(refused);
  expect(await write({ "general.sampling.temp": f32(Number.NaN) })).not.toContain("PARAMETER");
});
