import { randomInt } from "node:crypto";
import { createInterface } from "node:readline";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { type Command, InvalidArgumentError } from "commander";
import {
  type AnswerOptions,
  type Conversation,
  type ConversationOptions,
  DEFAULT_MAX_TOKENS,
} from "../../chat/types.ts";
import { AbortedError } from "../../errors.ts";
import { addDeviceOptions, whole } from "../options/groups.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { printable } from "../printable.ts";
import { run } from "../run.ts";
import { openTerminal } from "../terminal.ts";

type Options = ConversationOptions &
  SourceOptions &
  Omit<AnswerOptions, "onText" | "signal"> & { readonly prompt?: string | undefined };

export function define(command: Command): void {
  command
    .option("-p, --prompt <text>", "answer this alone and end; - takes it from stdin")
    .option("--system <text>", "what the model is told before the conversation (default: nothing)")
    .option("--max-tokens <n>", "longest answer", whole(1), DEFAULT_MAX_TOKENS)
    .option(
      "--temperature <t>",
      "0 always takes the most likely token (default: as the model's file says, or 0.8)",
      temperature,
    )
    .option(
      "--seed <n>",
      "seed of the draws at a temperature above 0 (default: another each time)",
      whole(0),
    );
  addDeviceOptions(command);
  addSourceOptions(command);
  command.action((first: string, second: string | undefined, options: Options) =>
    run(async (signal) => {
      const speakers: Speaker[] = [];
      try {
        const prompt = options.prompt === "-" ? await readInput(signal) : options.prompt;
        for (const reference of second === undefined ? [first] : [first, second]) {
          speakers.push(await openSpeaker(reference, options, signal));
        }
        if (prompt === undefined) await converse(speakers, options, signal);
        else await print(speakers, prompt, options, signal);
      } catch (error) {
        throw signal.aborted ? new AbortedError("Stopped.") : error;
      } finally {
        for (const { conversation } of speakers) await conversation.close();
      }
    }),
  );
}

/** A model that answers, by the name that its answers stand under where there are two. */
interface Speaker {
  readonly name: string;
  readonly conversation: Conversation;
}

async function openSpeaker(reference: string, options: Options, signal: AbortSignal): Promise<Speaker> {
  const terminal = openTerminal({});
  const { path } = await findModel(reference, options, terminal, signal);
  const { openConversation } = await import("../../chat/conversation.ts");
  const conversation = await openConversation(path, { ...options, signal, onNotice: terminal.say });
  if (conversation.mode === "completion") {
    terminal.say(`${reference} has no chat template, so it goes on with your text instead of answering it.`);
  }
  return { name: reference, conversation };
}

function temperature(text: string): number {
  const value = Number(text);
  if (!(text.trim() !== "" && value >= 0))
    throw new InvalidArgumentError("It must be a number of at least 0.");
  return value;
}

/** Prints the answers as they are written, one after the other. */
async function print(
  speakers: readonly Speaker[],
  prompt: string,
  options: AnswerOptions,
  signal: AbortSignal,
): Promise<void> {
  // The same draws for both.
  const seed = options.seed ?? randomInt(2 ** 32);
  for (const { name, conversation } of speakers) {
    if (speakers.length > 1) process.stdout.write(`${printable(name)}:\n`);
    let line = "";
    const onText = (text: string) => {
      line = "\n";
      process.stdout.write(printable(text));
    };
    const answered = conversation.answer(prompt, { ...options, seed, signal, onText });
    const { end } = await answered.catch((error: unknown) => {
      // What was written so far is a line of its own.
      process.stdout.write(line);
      throw error;
    });
    process.stdout.write("\n");
    if (end === "model") continue;
    openTerminal({}).say(
      end === "context"
        ? `The answer was cut: with what was said before, it fills the context of ${conversation.contextLength} tokens.`
        : `The answer was cut after ${options.maxTokens} tokens; --max-tokens N lets it be longer.`,
    );
  }
}

/** Answers line after line until the input ends, on a terminal or piped. */
async function converse(
  speakers: readonly Speaker[],
  options: AnswerOptions,
  signal: AbortSignal,
): Promise<void> {
  const interactive = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: interactive ? process.stdout : undefined,
    prompt: "> ",
  });
  let answering: AbortController | undefined;
  // On a terminal readline itself sees Ctrl-C.
  lines.on("SIGINT", () => (answering ? answering.abort() : lines.close()));
  signal.addEventListener("abort", () => lines.close());
  if (interactive) lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") {
      answering = new AbortController();
      const stop = AbortSignal.any([signal, answering.signal]);
      await print(speakers, line, options, stop).catch((error: unknown) => {
        if (signal.aborted || !(error instanceof AbortedError)) throw error;
      });
      answering = undefined;
    }
    if (interactive) lines.prompt();
  }
  if (signal.aborted) throw new AbortedError();
}

/** All of stdin, without the line end that a shell puts there. */
async function readInput(signal: AbortSignal): Promise<string> {
  return (await text(addAbortSignal(signal, process.stdin))).replace(/\r?\n$/, "");
}
