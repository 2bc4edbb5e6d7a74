import { createHash } from "node:crypto";
import type { StateTensors } from "../architecture/types.ts";
import type { Prompts } from "../calibration/load.ts";
import { beginWithBos } from "../calibration/sequences.ts";
import { type KeptValues, valuesInMemory } from "../files/kept-values.ts";
import type { Model } from "../model/model.ts";

export interface SampleSettings {
  readonly states: StateTensors;
  /** What sequences begin with, or −1. */
  readonly bos: number;
  /** Tokens of a sequence at most. */
  readonly sequenceLength: number;
  /** What earlier runs drew. */
  readonly kept?: KeptValues | undefined;
  /** Told after each group of prompts of the tokens that were drawn at most, and will be. */
  readonly onTokens?: ((done: number, total: number) => void) | undefined;
}

/** Prompts that the model goes on with side by side. */
const AT_A_TIME = 8;

/** Tokens that it writes after a prompt, at most. */
const LENGTH = 384;

/** Tokens that a model writes, at most. */
export function mostSampled({ questions, beginnings }: Prompts): number {
  return LENGTH * (questions.length + beginnings.length);
}

/**
 * Lets a model write, by draws from what it predicts (temperature 1) that are the same each time: answers where llama.cpp
 * knows its chat format, and texts of which it is given the beginning. Text like that which a model was made for is found
 * in itself. A prompt that takes more than half a sequence is left out.
 * @returns a sequence each of a prompt and what follows it
 * @throws RuntimeError, AbortedError
 */
export async function sampleText(
  model: Model,
  { questions, beginnings }: Prompts,
  { states, bos, sequenceLength, kept = valuesInMemory(), onTokens }: SampleSettings,
): Promise<Int32Array[]> {
  const prompts: Int32Array[] = [];
  const add = (tokens: Int32Array | undefined) => {
    const begun = tokens && beginWithBos(tokens, bos);
    if (begun && begun.length <= sequenceLength / 2) prompts.push(begun);
  };
  for (const question of questions) add(await model.chatPrompt(question));
  for (const beginning of beginnings) add(await model.tokenize(beginning));
  if (prompts.length === 0) return [];
  const longest = Math.max(...prompts.map((tokens) => tokens.length));
  const length = Math.min(LENGTH, sequenceLength - longest);
  const session = model.openSession({ sequenceLength: longest + length, sequences: AT_A_TIME, states });
  const draw = async (group: readonly Int32Array[], seed: number): Promise<readonly Int32Array[]> => {
    const name = nameOf(group, length, seed);
    const earlier = textsIn(kept.get(name), group.length, model.info.vocabularySize);
    if (earlier) return earlier;
    const texts = await session.generate(group, length, { seed });
    await kept.add(
      name,
      texts.map((tokens) => [...tokens]),
    );
    return texts;
  };
  try {
    const texts: Int32Array[] = [];
    for (let from = 0; from < prompts.length; from += AT_A_TIME) {
      const group = prompts.slice(from, from + AT_A_TIME);
      const written = await draw(group, from);
      texts.push(...written.map((tokens, index) => Int32Array.of(...group[index]!, ...tokens)));
      onTokens?.(texts.length * length, prompts.length * length);
    }
    return texts;
  } finally {
    session.close();
  }
}

/** Tells what is drawn after these prompts from anything else that is. */
function nameOf(prompts: readonly Int32Array[], length: number, seed: number): string {
  const digest = createHash("sha256");
  for (const tokens of prompts) digest.update(`${tokens.length} `).update(tokens);
  return `text of ${length} tokens with seed ${seed} after ${digest.digest("hex")}`;
}

/** Texts as they were kept, or undefined for what is no such list. */
function textsIn(value: unknown, count: number, vocabularySize: number): Int32Array[] | undefined {
  const isToken = (token: unknown) =>
    Number.isInteger(token) && (token as number) >= 0 && (token as number) < vocabularySize;
  const areTexts =
    Array.isArray(value) &&
    value.length === count &&
    value.every((tokens) => Array.isArray(tokens) && tokens.every(isToken));
  return areTexts ? value.map((tokens: number[]) => Int32Array.from(tokens)) : undefined;
}
