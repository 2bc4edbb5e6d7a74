import { type Command, InvalidArgumentError, Option } from "commander";
import { GPU_CHOICES } from "../../model/gpu.ts";
import { OBJECTIVES } from "../../objectives.ts";
import { REPAIR_CHOICES } from "../../repair/kinds.ts";
import { DEFAULT_RECIPE } from "../recipe/place.ts";
import { bytes, choice, factor, loss } from "./quantities.ts";

/** The options that several commands share, by what they are about. Each function adds a group to a command. */

/** @throws InvalidArgumentError, which commander reports with the option's name */
export function whole(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < low) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${low}.`);
    }
    return value;
  };
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("It must lie between 0 and 1.");
  return value;
}

export function addOutputOptions(command: Command): Command {
  return command
    .option("--json", "print one JSON document on stdout and everything else on stderr")
    .option("-q, --quiet", "print errors only (and the JSON document, with --json)")
    .option("--no-color", "draw without colours, as the variable NO_COLOR does");
}

/** What computes a model on this machine. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option("--threads <n>", "compute threads (default: the physical cores that are idle)", whole(1))
    .addOption(choice(new Option("--gpu <choice>", "what computes"), GPU_CHOICES).default("auto"))
    .option("--gpu-layers <n>", "layers kept in GPU memory (default: as many as fit)", whole(0));
}

export function addRunOptions(command: Command): Command {
  return addDeviceOptions(command)
    .option("--rpc <servers>", "compute on llama.cpp's RPC servers: host:port,… (docs/rpc.md)", list)
    .option(
      "--max-memory <size>",
      "memory to use beside the mapped model, such as 2GB (default: 3/4 of what is free)",
      bytes,
    );
}

/** What a removal is shown by. */
export function addSampleOptions(command: Command): Command {
  return command.option("--no-samples", "do not let both models write something to compare");
}

/** What is kept of a measurement from one run to the next. */
export function addCacheOptions(command: Command): Command {
  return addKeepOption(
    command.option("--resume", "go on from where an interrupted run of the same command stopped"),
  );
}

/** Whether anything is kept from one run to the next. */
export function addKeepOption(command: Command): Command {
  return command.option("--no-cache", "neither use nor keep measurements in the cache folder");
}

/** Lets a command that has options take them from a recipe. */
export function addRecipeOption(command: Command): void {
  if (command.options.length === 0) return;
  command.option("--config <file>", `a recipe with options (default: ${DEFAULT_RECIPE}, if it is there)`);
}

function list(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

export function addCalibrationOptions(command: Command): Command {
  return command
    .option(
      "--calibration <file>",
      "text to measure on: plain, or .jsonl with a text field (default: lorp's own)",
    )
    .option(
      "--sequences <n>",
      "number of token sequences to analyse (default: until the answer has settled)",
      whole(1),
    )
    .option("--sequence-length <n>", "tokens in a sequence", whole(2))
    .option("--no-bos", "begin sequences without the model's BOS token, as the paper does");
}

export function addClusterOptions(command: Command): Command {
  return command
    .option("--clusters <k>", "number of clusters (default: what the locality score asks for)", whole(1))
    .option("--seed <n>", "seed of everything that is drawn (default: 0)", whole(0));
}

export function addBudgetOptions(command: Command): Command {
  return command
    .option("--remove <n>", "number of layers to remove", whole(0))
    .option("--ratio <r>", "share of the layers to remove, such as 0.25", share)
    .option("--layers <list>", "the layers to remove, such as 5,7,11-13")
    .option("--method <name>", "how to choose them; lorp methods lists them (default: auto; of plan: lorp)")
    .option(
      "--pattern-safe",
      "remove whole periods of a sliding-window pattern only, for engines that count layers (Ollama before 0.30)",
    )
    .option("--drop-mtp", "drop the layers that predict tokens ahead (MTP) besides");
}

/** How much to remove where a model is at hand to be measured. */
export function addGoalOptions(command: Command): Command {
  return command
    .option("--target-size <size>", "remove until the file has at most this size, such as 4.5GB", bytes)
    .option("--speedup <x>", "remove until the model is about this many times as fast, such as 1.3", factor)
    .option(
      "--max-loss <limit>",
      "remove as long as perplexity rises by no more, such as 10%, or KL divergence is no more, such as 0.1nats",
      loss,
    );
}

/** @param otherwise what is done without the option */
export function addRepairOption(command: Command, otherwise: string): Command {
  return command.addOption(
    choice(
      new Option(
        "--repair <how>",
        `give back what removal took by linear maps that are fitted: a matrix replaced, or a small layer put in (default: ${otherwise})`,
      ),
      REPAIR_CHOICES,
    ),
  );
}

/** How far the method `auto` searches, and for what. */
export function addSearchOptions(command: Command): Command {
  return command
    .addOption(
      choice(
        new Option(
          "--objective <what>",
          "what a choice by measurement makes small (default: kl, the divergence from the model as it is)",
        ),
        OBJECTIVES,
      ),
    )
    .option("--evaluations <n>", "sets of layers that the method auto measures at most", whole(1))
    .option(
      "--search-time <seconds>",
      "when the method auto stops looking further (default: after 3 times the work of the analysis)",
      whole(0),
    );
}

/** What the objective `task` chooses by. */
export function addTaskOption(command: Command): Command {
  return command.option(
    "--task <file>",
    "with --objective task: multiple choice to choose by and to report on, half of the items each",
  );
}

export function addForceOption(command: Command): Command {
  return command.option("--force", "replace existing files");
}

export function addWriteOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "where to write (default: beside the input)")
    .option("--force", "replace an existing output")
    .option("--keep-split", "write a split model in the parts it has (default: one file)")
    .addOption(
      new Option(
        "--split-max-size <size>",
        "write parts with at most this much of the tensors each, such as 2G",
      )
        .argParser(bytes)
        .conflicts("keepSplit"),
    );
}

export function addQuantizeOptions(command: Command): Command {
  return command
    .option("--quantize <type>", "quantise what was cut with llama.cpp, such as Q4_K_M")
    .option("--imatrix <file>", "the model's importance matrix from llama-imatrix, for --quantize")
    .option(
      "--tensor-type <rule...>",
      "types of single tensors for --quantize, such as attn_v=q8_0: a regular expression and a type",
    )
    .option("--allow-requantize", "quantise once more what is quantised already, which loses twice");
}
