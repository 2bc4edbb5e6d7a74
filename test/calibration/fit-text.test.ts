import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { fitTextOf } from "../../src/calibration/fit-text.ts";
import { type Calibration, loadCalibration } from "../../src/calibration/load.ts";
import { dealSequences } from "../../src/calibration/sequences.ts";

/** A token for every character. */
const tokenize = async (text: string) => Int32Array.from(text, (character) => character.codePointAt(0)!);

async function fitted(calibration: Calibration, sequences?: number) {
  const settings = { sequenceLength: 100, sequences, bos: 7 };
  const split = dealSequences(await tokenize(calibration.text), settings);
  return { split, fit: await fitTextOf(calibration, split, settings, tokenize) };
}

test("maps are fitted on the analysis part of lorp's own text and on prose besides", async () => {
  const { split, fit: own } = await fitted(await loadCalibration());
  const prose = await readFile("calibration/prose.txt", "utf8");
  const inProse = own.sequences.slice(split.analysis.length);
  expect(own.name).toBe("default and prose");
  expect(own.sequences.slice(0, split.analysis.length)).toEqual(split.analysis);
  expect(inProse.every(([bos]) => bos === 7)).toBe(true);
  expect(inProse.map((window) => String.fromCodePoint(...window.subarray(1))).join("")).toBe(
    prose.slice(0, inProse.length * 99),
  );
  expect(prose.length - inProse.length * 99).toBeLessThan(99);
});

test("half of what a model is asked to go on with is code, and nothing is asked twice", async () => {
  const { fit } = await fitted(await loadCalibration());
  const { questions, beginnings } = fit.prompts!;
  const all = [...questions, ...beginnings];
  expect(new Set(all).size).toBe(64);
  expect(questions.length).toBe(32);
  const code = all.filter((prompt) => /\bdef |Python|\b(function|class|generator|decorator)\b/.test(prompt));
  expect(code.length).toBeGreaterThan(28);
  expect(code.length).toBeLessThan(40);
});

test("of a text of the user's, and of so many sequences as are asked for, nothing else", async () => {
  const users = await loadCalibration("CHANGELOG.md");
  const { split, fit: fromUsers } = await fitted(users);
  expect(fromUsers).toEqual({ name: "CHANGELOG.md", sha256: users.sha256, sequences: split.analysis });
  const few = await fitted(await loadCalibration(), 4);
  expect(few.fit).toMatchObject({ name: "default", sequences: few.split.analysis });
  expect(few.fit.prompts).toBeUndefined();
});
