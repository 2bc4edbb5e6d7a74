import { InvalidArgumentError, type Option } from "commander";
import { didYouMean } from "../../nearest.ts";
import { parseLayers } from "../../selection/budget.ts";

/** Readers of what people write for quantities; each throws InvalidArgumentError, which names the option. */

const POWERS = ["", "k", "m", "g", "t"];

/** Bytes: `4.5GB`, `2G`, `800 MiB`, `120000`; kB … TB are powers of 1000, KiB … TiB of 1024. */
export function bytes(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i)?)?b?\s*$/i.exec(text);
  const power = POWERS.indexOf(match?.[2]?.toLowerCase() ?? "");
  const value = Math.floor(Number(match?.[1]) * (match?.[3] ? 1024 : 1000) ** power);
  if (!match || value < 1) throw new InvalidArgumentError("It must be a size, such as 4.5GB or 800MiB.");
  return value;
}

/** A share above 0: `10%` or `0.1`. */
export function positiveShare(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%)?\s*$/.exec(text);
  const value = Number(match?.[1]) / (match?.[2] ? 100 : 1);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a share above 0, such as 10% or 0.1.");
  return value;
}

/** A factor above 1: `1.3`, `1.3x`. */
export function factor(text: string): number {
  const value = Number(/^\s*(\d+(?:\.\d+)?)\s*x?\s*$/i.exec(text)?.[1]);
  if (!(value > 1)) throw new InvalidArgumentError("It must be a number above 1, such as 1.3.");
  return value;
}

/** Whole numbers: `3,5,7` or `2-8`. */
export function wholeNumbers(text: string): number[] {
  try {
    return parseLayers(text);
  } catch {
    throw new InvalidArgumentError("It must be a list of different numbers, such as 3,5,7 or 2-8.");
  }
}

/** An option that takes one of a few words. */
export function choice(option: Option, choices: readonly string[]): Option {
  return option.choices(choices).argParser((word: string) => {
    if (choices.includes(word)) return word;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.${didYouMean(word, choices)}`);
  });
}

/** Names between commas. */
export function names(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

/** `10%` or `0.1` as a share of the perplexity, `0.1nats` as a KL divergence. @throws InvalidArgumentError */
export function loss(text: string): number | { readonly nats: number } {
  const nats = /^([\d.]+)\s*nats?$/i.exec(text.trim())?.[1];
  if (nats === undefined) return positiveShare(text);
  const value = Number(nats);
  if (!(value > 0)) throw new InvalidArgumentError("It must be above 0, such as 10% or 0.1nats.");
  return { nats: value };
}
