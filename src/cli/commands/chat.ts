import { createInterface } from "node:readline";
import { type Command, InvalidArgumentError } from "commander";
import type { AnswerOptions, Conversation, ConversationOptions } from "../../chat/conversation.ts";
import { AbortedError } from "../../errors.ts";
import { addDeviceOptions, whole } from "../options/groups.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { openTerminal } from "../terminal.ts";

type Options = ConversationOptions &
  SourceOptions &
  Omit<AnswerOptions, "onText" | "signal"> & { readonly prompt?: string | undefined };

export function define(command: Command): void {
  command
    .option("-p, --prompt <text>", "answer this alone and end")
    .option("--system <text>", "what the model is told before the conversation")
    .option("--max-tokens <n>", "longest answer (default: until the model ends)", whole(1))
    .option("--temperature <t>", "0 always takes the most likely token (default: 0)", temperature)
    .option("--seed <n>", "seed of the draws at a temperature above 0", whole(0));
  addDeviceOptions(command);
  addSourceOptions(command);
  command.action((reference: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal({});
      const { path } = await findModel(reference, options, terminal, signal);
      const { openConversation } = await import("../../chat/conversation.ts");
      const conversation = await openConversation(path, { ...options, signal });
      try {
        if (conversation.mode === "completion") {
          terminal.say(
            "This model has no chat template, so it goes on with your text instead of answering it.",
          );
        }
        if (options.prompt === undefined) await converse(conversation, options, signal);
        else await print(conversation, options.prompt, options, signal);
      } finally {
        await conversation.close();
      }
    }),
  );
}

function temperature(text: string): number {
  const value = Number(text);
  if (!(text.trim() !== "" && value >= 0))
    throw new InvalidArgumentError("It must be a number of at least 0.");
  return value;
}

/** Prints one answer as it is written. */
async function print(
  conversation: Conversation,
  prompt: string,
  options: AnswerOptions,
  signal: AbortSignal,
): Promise<void> {
  const onText = (text: string) => process.stdout.write(text);
  await conversation.answer(prompt, { ...options, signal, onText }).finally(() => process.stdout.write("\n"));
}

/** Answers line after line until the input ends, on a terminal or piped. */
async function converse(
  conversation: Conversation,
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
    answering = new AbortController();
    const stop = AbortSignal.any([signal, answering.signal]);
    await print(conversation, line, options, stop).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof AbortedError)) throw error;
    });
    answering = undefined;
    if (interactive) lines.prompt();
  }
}
