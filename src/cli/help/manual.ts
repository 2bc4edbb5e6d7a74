import type { Command } from "commander";
import { type Described, describeCommands } from "./command-tree.ts";

/** Exit statuses and environment, which no command's help has room for. */
const EXIT_STATUSES: readonly Described[] = [
  { term: "0", description: "done" },
  { term: "1", description: "it could not be done; the message says why" },
  { term: "2", description: "the command was not understood" },
  { term: "130", description: "stopped with Ctrl-C" },
];

const ENVIRONMENT: readonly Described[] = [
  { term: "HF_TOKEN", description: "token for gated repositories of Hugging Face" },
  { term: "HF_ENDPOINT", description: "a mirror of Hugging Face to download from" },
  { term: "LORP_MODELS", description: "the folder that downloaded models are kept in" },
  { term: "OLLAMA_MODELS", description: "the folder that Ollama keeps its models in" },
  { term: "NO_COLOR", description: "if set, nothing is coloured" },
];

/** The man page lorp(1), in troff's man macros. */
export function manPage(program: Command, version: string): string {
  const commands = describeCommands(program).flatMap(
    ({ name, description, usage, arguments: args, options }) => [
      `.SS ${troff(name)}`,
      sentence(description),
      `.PP\n.nf\n${bold(usage)}\n.fi`,
      ...[...args, ...options].map(entry),
    ],
  );
  return `${[
    `.TH LORP 1 "" "lorp ${version}" "User Commands"`,
    ".SH NAME",
    "lorp \\- make local language models shallower",
    ".SH SYNOPSIS",
    bold(`${program.name()} ${program.usage()}`),
    ".SH DESCRIPTION",
    troff(program.description()),
    ".SH COMMANDS",
    ...commands,
    ".SH EXIT STATUS",
    ...EXIT_STATUSES.map(entry),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.map(entry),
  ].join("\n")}\n`;
}

/** docs/reference.md, in Markdown. */
export function referencePage(program: Command): string {
  const commands = describeCommands(program).flatMap(
    ({ name, description, usage, arguments: args, options }) => [
      `## ${name}`,
      sentence(description),
      `\`\`\`text\n${usage}\n\`\`\``,
      table("argument", args),
      table("option", options),
    ],
  );
  return `${[
    "# Reference",
    "Every command and option, as `lorp <command> --help` and `man lorp` say them. This page is made from the program.",
    ...commands,
    "## Exit status",
    table("status", EXIT_STATUSES),
    "## Environment",
    table("variable", ENVIRONMENT),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(head: string, rows: readonly Described[]): string {
  if (rows.length === 0) return "";
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return [
    `| ${head} | |`,
    "|---|---|",
    ...rows.map(({ term, description }) => `| \`${cell(term)}\` | ${cell(description)} |`),
  ].join("\n");
}

const entry = ({ term, description }: Described) => `.TP\n${bold(term)}\n${troff(description)}`;

const bold = (text: string) => `\\fB${troff(text)}\\fR`;

/** Text in which nothing is a command to troff; a hyphen stays one that can be copied into a shell. */
function troff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replace(/^([.'])/gm, "\\&$1");
}
