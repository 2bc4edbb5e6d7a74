import { Argument, type Command } from "commander";

/** What the help tells of a command, and where its options and its work are. */
export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  /** Left out of the help. */
  readonly hidden?: true;
  /** Adds the options and the action; the whole program is for those that tell of it. */
  readonly load: () => Promise<{ define(command: Command, buildProgram: () => Promise<Command>): void }>;
}

const MODEL_TEXT =
  "a GGUF file, or where to get one: hf:user/repo:Q4_K_M, https://…, ollama:name, or a name that lorp ls shows";
const MODEL = new Argument("<model>", MODEL_TEXT);

/** In the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "prune",
    description: "measure a model, decide which layers go, write it without them, and say what that cost",
    arguments: [MODEL],
    load: () => import("./prune.ts"),
  },
  {
    name: "analyze",
    description: "measure how alike the inputs of a model's layers are",
    arguments: [MODEL],
    load: () => import("./analyze.ts"),
  },
  {
    name: "plan",
    description: "decide from an Analysis which layers go; needs no model",
    arguments: [new Argument("<analysis>", "an Analysis (JSON), by lorp analyze or by hand")],
    load: () => import("./plan.ts"),
  },
  {
    name: "apply",
    description: "write the model that a Plan describes; the model is run only where it is repaired",
    arguments: [
      new Argument("<model>", `the model that the Plan was made for: ${MODEL_TEXT}`),
      new Argument("<plan>", "a Plan (JSON), by lorp plan or lorp prune"),
    ],
    load: () => import("./apply.ts"),
  },
  {
    name: "inspect",
    description: "say what a model is made of, and what removing layers would save",
    arguments: [MODEL],
    load: () => import("./inspect.ts"),
  },
  {
    name: "eval",
    description: "score a model, or what would be left of it without some layers, on texts and tasks",
    arguments: [MODEL],
    load: () => import("./eval.ts"),
  },
  {
    name: "compare",
    description: "measure what every method's choice costs, before anything is written",
    arguments: [MODEL],
    load: () => import("./compare.ts"),
  },
  {
    name: "methods",
    description: "list the ways to choose which layers go",
    arguments: [],
    load: () => import("./methods.ts"),
  },
  {
    name: "report",
    description: "show a document as a page: one HTML file that needs nothing else",
    arguments: [new Argument("<document>", "an Analysis, Plan, Report or Comparison (JSON)")],
    load: () => import("./report.ts"),
  },
  {
    name: "ls",
    description:
      "list the GGUF models on this machine: lorp's own, and those of Ollama, LM Studio, Hugging Face and llama.cpp",
    arguments: [],
    load: () => import("./ls.ts"),
  },
  {
    name: "chat",
    description:
      "talk to a model, or to two side by side; Ctrl-C stops an answer, and at the prompt ends the conversation",
    arguments: [MODEL, new Argument("[other]", "another one that answers too")],
    load: () => import("./chat.ts"),
  },
  {
    name: "diff",
    description:
      "say what differs between two models in tensors and metadata; knows layers by the numbers they had",
    arguments: [
      new Argument("<first>", "a GGUF file, or any part of a split one"),
      new Argument("<second>", "another one"),
    ],
    load: () => import("./diff.ts"),
  },
  {
    name: "doctor",
    description: "say what lorp is installed with here, what it computes on, and why not on another GPU",
    arguments: [],
    load: () => import("./doctor.ts"),
  },
  {
    name: "completion",
    description: "print what makes a shell complete lorp's commands, options, methods and layer numbers",
    arguments: [new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"])],
    load: () => import("./completion.ts"),
  },
  {
    name: "man",
    description: "print the man page; lorp man | man -l - shows it",
    arguments: [],
    load: () => import("./man.ts"),
  },
  {
    name: "complete",
    hidden: true,
    description: "what the last word may become, for the shells",
    arguments: [new Argument("[words...]", "the command line up to the cursor, without lorp")],
    load: () => import("./complete.ts"),
  },
];
