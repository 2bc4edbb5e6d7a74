import type { StateTensors } from "../architecture/types.ts";
import { beginWithBos } from "../calibration/sequences.ts";
import type { Samples } from "../documents/samples.ts";
import type { Model } from "../model/model.ts";
import type { BlockChanges } from "../model/session.ts";
import { mean } from "../statistics.ts";

/** What is asked of a model that can chat, and what another is to go on with; on many things, in few words. */
const PROMPTS: readonly { readonly question: string; readonly beginning: string }[] = [
  { question: "Why is the sky blue?", beginning: "The sky looks blue because" },
  {
    question: "Write a short letter to a friend about a walk in the mountains.",
    beginning: "Dear friend, yesterday we went for a long walk in the mountains, and",
  },
  {
    question: "What is 17 plus 25? Explain each step.",
    beginning: "To add 17 and 25, first",
  },
  {
    question: "Write a Python function that returns the largest number of a list.",
    beginning: 'def largest(numbers):\n    """Return the largest number of a list."""\n',
  },
  {
    question: "Name three things that one should know before one plants a tree.",
    beginning: "Three things that one should know before one plants a tree:\n1.",
  },
  {
    question: "Tell the story of a lighthouse keeper in a storm.",
    beginning: "On the night of the great storm the old lighthouse keeper",
  },
  {
    question: "Was ist der Unterschied zwischen einem See und einem Fluss?",
    beginning: "Ein See unterscheidet sich von einem Fluss dadurch, dass",
  },
  {
    question: "How did people tell the time before there were clocks?",
    beginning: "Before there were clocks, people told the time by",
  },
];

/** Tokens of a continuation, at most. */
const LENGTH = 48;

/** Continuations that are shown. */
const SHOWN = 2;

/** What a model is asked. */
interface Asked {
  readonly mode: Samples["mode"];
  readonly prompts: readonly Int32Array[];
}

/** What a model made of it. */
export interface Continuations extends Asked {
  readonly tokens: readonly Int32Array[];
  readonly texts: readonly string[];
}

export interface ContinueOptions extends Pick<BlockChanges, "skip"> {
  readonly states: StateTensors;
  /** What prompts begin with, or −1. */
  readonly bos: number;
}

/**
 * Lets a model go on with the prompts greedily, all side by side.
 * @param asked the very tokens that another model of the same vocabulary was given
 * @returns undefined where the model's context is too short for them
 * @throws RuntimeError, AbortedError
 */
export async function continuePrompts(
  model: Model,
  { states, bos, skip }: ContinueOptions,
  asked?: Asked,
): Promise<Continuations | undefined> {
  const { mode, prompts } = asked ?? (await tokenizePrompts(model, bos));
  const sequenceLength = Math.max(...prompts.map(({ length }) => length)) + LENGTH;
  if (sequenceLength > model.info.trainedContextLength) return undefined;
  const session = model.openSession({ sequenceLength, sequences: prompts.length, states });
  try {
    const tokens = await session.generate(prompts, LENGTH, { skip });
    const texts = await Promise.all(tokens.map((continuation) => model.text(continuation)));
    return { mode, prompts, tokens, texts };
  } finally {
    session.close();
  }
}

/** The prompts as a model is used to them: a chat where it has a format for one that llama.cpp knows. */
async function tokenizePrompts(model: Model, bos: number): Promise<Asked> {
  const begun = (tokens: Int32Array) => beginWithBos(tokens, bos);
  const questions = await Promise.all(PROMPTS.map(({ question }) => model.chatPrompt(question)));
  const asked = questions.filter((tokens) => tokens !== undefined);
  if (asked.length === PROMPTS.length) return { mode: "chat", prompts: asked.map(begun) };
  const beginnings = await Promise.all(PROMPTS.map(({ beginning }) => model.tokenize(beginning)));
  return { mode: "completion", prompts: beginnings.map(begun) };
}

/** What differs between an original's continuations and a pruned model's of the same prompts. */
export function compareContinuations(original: Continuations, pruned: Continuations): Samples {
  const { mode, tokens } = original;
  const beginnings = PROMPTS.map(({ question, beginning }) => (mode === "chat" ? question : beginning));
  const agreed = tokens.map((continuation, index) => agreement(continuation, pruned.tokens[index]!));
  return {
    mode,
    prompts: tokens.length,
    tokens: LENGTH,
    agreed: mean(agreed),
    repeated: {
      original: mean(tokens.map(repetition)),
      pruned: mean(pruned.tokens.map(repetition)),
    },
    examples: beginnings.slice(0, SHOWN).map((prompt, index) => ({
      prompt,
      original: original.texts[index]!,
      pruned: pruned.texts[index]!,
    })),
  };
}

/** Tokens that two continuations have in common from the first on. */
export function agreement(one: Int32Array, other: Int32Array): number {
  const parting = one.findIndex((token, index) => token !== other[index]);
  return parting < 0 ? one.length : parting;
}

/** Tokens of the runs that a repetition is counted in. */
const RUN = 4;

/** Share of a continuation's runs of four tokens that occurred in it before; 0 of one without any. */
export function repetition(tokens: Int32Array): number {
  const runs = Array.from({ length: Math.max(0, tokens.length - RUN + 1) }, (_, at) =>
    tokens.subarray(at, at + RUN).join(),
  );
  return runs.length === 0 ? 0 : 1 - new Set(runs).size / runs.length;
}
