import { basename, dirname, isAbsolute, relative, sep } from "node:path";
import type { GgufFile } from "../gguf/types.ts";
import { shellQuote } from "../shell-quote.ts";
import type { OllamaParameter, OllamaSettings } from "../sources/ollama.ts";
import { ExportError } from "./errors.ts";

/** llama.cpp's sampling metadata (LLM_KV_GENERAL_SAMPLING_…) and what a Modelfile calls the same. */
const SAMPLING: Readonly<Record<string, string>> = {
  temp: "temperature",
  top_k: "top_k",
  top_p: "top_p",
  min_p: "min_p",
  penalty_last_n: "repeat_last_n",
  penalty_repeat: "repeat_penalty",
};

export interface ModelfileInput {
  /** The GGUF file, and where the Modelfile will stand. */
  readonly model: string;
  readonly modelfile: string;
  readonly metadata: GgufFile["metadata"];
  /** What Ollama kept beside the original's weights, if it came from there. */
  readonly ollama?: OllamaSettings | undefined;
}

/**
 * A Modelfile for `ollama create` (source: Ollama's Modelfile reference). Template, system prompt and parameters are
 * those the original had in Ollama; else the parameters are the file's recommended sampling, and the template is left
 * for Ollama to find by the file's chat template.
 * @throws ExportError `MODELFILE_QUOTES`
 */
export function modelfile({ model, modelfile: path, metadata, ollama }: ModelfileInput): string {
  const parameters = ollama ? ollama.parameters : sampling(metadata);
  oneLine("FROM", path);
  return [
    // The paths are on one line, or FROM refuses them.
    `# ollama create ${shellQuote(modelName(model))} -f ${shellQuote(basename(path))}`,
    `FROM ${oneLine("FROM", fromPath(model, path))}`,
    ...(ollama?.template === undefined ? [templateRemark(metadata)] : [block("TEMPLATE", ollama.template)]),
    ...(ollama?.system === undefined ? [] : [block("SYSTEM", ollama.system)]),
    ...Object.entries(parameters).flatMap(([name, value]) =>
      list(value).map((each) => `PARAMETER ${word(name)} ${argument(name, each)}`),
    ),
    "",
  ].join("\n");
}

function modelName(model: string): string {
  return basename(model)
    .replace(/\.gguf$/, "")
    .toLowerCase();
}

/** Relative, so that the folder can be moved; Ollama takes a name without `./` for a model of its registry. */
function fromPath(model: string, modelfile: string): string {
  const path = relative(dirname(modelfile), model);
  return isAbsolute(path) ? path : `./${path.split(sep).join("/")}`;
}

function templateRemark(metadata: GgufFile["metadata"]): string {
  return metadata.has("tokenizer.chat_template")
    ? "# No TEMPLATE: Ollama looks up the one that belongs to the chat template in the file."
    : "# No TEMPLATE: the file has no chat template, so Ollama passes prompts on as they are.";
}

function sampling(metadata: GgufFile["metadata"]): Record<string, OllamaParameter> {
  const parameters: Record<string, OllamaParameter> = {};
  for (const [key, name] of Object.entries(SAMPLING)) {
    const value = metadata.get(`general.sampling.${key}`)?.decode().value;
    // A float32 has some seven digits; more would be noise of the conversion.
    if (typeof value === "number" && Number.isFinite(value)) parameters[name] = Number(value.toPrecision(6));
  }
  return parameters;
}

const list = (value: OllamaParameter): readonly (string | number | boolean)[] =>
  Array.isArray(value) ? value : [value as string | number | boolean];

function argument(name: string, value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (/[\n\r]/.test(value)) return quoted(`PARAMETER ${name}`, value);
  if (value.includes('"')) throw unspeakable(`PARAMETER ${name}`);
  return `"${value}"`;
}

/** @throws ExportError for what would go on as another command */
function oneLine(command: string, text: string): string {
  if (/\p{Cc}/u.test(text)) throw unspeakable(command, "a line break");
  return text;
}

function word(name: string): string {
  if (!/^\w+$/.test(name)) throw unspeakable("PARAMETER", "the name of a parameter");
  return name;
}

const block = (command: string, text: string) => `${command} ${quoted(command, text)}`;

function quoted(command: string, text: string): string {
  if (text.includes('"""') || text.endsWith('"')) throw unspeakable(command);
  return `"""${text}"""`;
}

function unspeakable(command: string, what = "the quotation marks"): ExportError {
  return new ExportError(
    "MODELFILE_QUOTES",
    `A Modelfile cannot hold this model's ${command}, because of ${what} in it; write the Modelfile by hand.`,
  );
}
