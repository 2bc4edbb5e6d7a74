import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerTask, tokenizeTask } from "../../src/evaluation/answer.ts";
import { answerChoices, tokenizeChoices } from "../../src/evaluation/choices.ts";
import { matches, upToStop } from "../../src/evaluation/prompts.ts";
import { loadTask } from "../../src/evaluation/tasks/load.ts";
import type { Session } from "../../src/model/session.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { type OpenedExample, oneLane, openOnCpu } from "../support/example-session.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function loadChoices(path: string) {
  const task = await loadTask(path);
  if (task.kind !== "choices") throw new Error(`${path} holds ${task.kind}`);
  return task;
}

describe("formats", () => {
  test("JSON lines; a space joins context and choice where there is none", async () => {
    const lines = [
      '{"context": "The sun", "choices": ["rises", " sets"], "answer": 1}',
      "",
      '{"context": "Two and two make ", "choices": ["four", "five", "six"], "answer": 0, "id": 7}',
    ];
    const { name, items } = await loadChoices(write("a.jsonl", lines.join("\n")));
    expect(name).toBe("a.jsonl");
    expect(items).toEqual([
      {
        line: 1,
        answer: 1,
        choices: [
          { context: "The sun", continuation: " rises" },
          { context: "The sun", continuation: " sets" },
        ],
      },
      {
        line: 3,
        answer: 0,
        choices: ["four", "five", "six"].map((continuation) => ({
          context: "Two and two make ",
          continuation,
        })),
      },
    ]);
  });

  test("HellaSwag, with either kind of line end", async () => {
    const item = ["Cooking: A man", "2", "sings.", "dances.", "cooks.", "sleeps."];
    const { items } = await loadChoices(write("h.txt", `${[...item, ...item].join("\r\n")}\r\n`));
    expect(items).toHaveLength(2);
    expect(items[1]).toMatchObject({ line: 7, answer: 2 });
    expect(items[1]!.choices[2]).toEqual({ context: "Cooking: A man", continuation: " cooks." });
  });

  test("Winogrande: what follows the filling is weighed", async () => {
    const lines = [
      "0,Sarah was a better surgeon than Maria so _ got the easier cases.,Sarah,Maria,2",
      '1,"The cup, said ""he"", is in the _ today.",box,bag,1',
    ];
    const { items } = await loadChoices(write("w.csv", lines.join("\n")));
    const start = "Sarah was a better surgeon than Maria so ";
    expect(items[0]).toEqual({
      line: 1,
      answer: 1,
      choices: ["Sarah", "Maria"].map((filling) => ({
        context: start + filling,
        continuation: " got the easier cases.",
      })),
    });
    expect(items[1]!.choices[0]).toEqual({
      context: 'The cup, said "he", is in the box',
      continuation: " today.",
    });
  });

  test("JSON lines of prompts, with what is left out filled in", async () => {
    const lines = [
      '{"prompt": "2 + 2 =", "match": "^ *4"}',
      '{"prompt": "Say yes.", "match": "yes", "stop": ["\\n", "."], "tokens": 7, "chat": true}',
      '{"prompt": "a", "match": "b", "stop": "c"}',
    ];
    expect(await loadTask(write("p.jsonl", lines.join("\n")))).toMatchObject({
      kind: "prompts",
      items: [
        { line: 1, prompt: "2 + 2 =", stop: [], match: /^ *4/u, length: 128, chat: false },
        { line: 2, prompt: "Say yes.", stop: ["\n", "."], match: /yes/u, length: 7, chat: true },
        { line: 3, stop: ["c"] },
      ],
    });
  });

  const good = '{"context": "a", "choices": ["b", "c"], "answer": 0}\n';
  test.each([
    ["x.jsonl", `${good}{`, /Line 2 .*not JSON/],
    ["x.jsonl", `${good}\n[1]\n`, /Line 3 .*"context"/],
    ["x.jsonl", '{"context": "a", "choices": ["b"], "answer": 0}', /Line 1 .*two or more/],
    ["x.jsonl", '{"context": "a", "choices": ["b", 3], "answer": 0}', /Line 1 .*two or more/],
    ["x.jsonl", '{"context": "a", "choices": ["b", "c"], "answer": 2}', /Line 1 .*from 0 to 1/],
    ["x.jsonl", '{"context": "a", "choices": ["b", "c"]}', /Line 1 .*"answer"/],
    ["x.jsonl", `{"prompt": "a", "match": "b"}\n${good}`, /Line 2 .*choices where other lines have prompts/],
    ["x.jsonl", '{"prompt": "", "match": "b"}', /Line 1 .*"prompt"/],
    ["x.jsonl", '{"prompt": "a"}', /Line 1 .*"match"/],
    ["x.jsonl", '{"prompt": "a", "match": "("}', /Line 1 .*no regular expression: .*nterminated group/],
    ["x.jsonl", '{"prompt": "a", "match": "b", "stop": [""]}', /Line 1 .*"stop"/],
    ["x.jsonl", '{"prompt": "a", "match": "b", "tokens": 5000}', /Line 1 .*"tokens".* 4096/],
    ["x.jsonl", '{"prompt": "a", "match": "b", "chat": 1}', /Line 1 .*"chat"/],
    ["x.jsonl", "\n\n", /has no items/],
    ["x.txt", "a\n1\nb\nc\nd\n", /Line 5 .*fewer than 6 lines/],
    ["x.txt", "a\nfour\nb\nc\nd\ne\n", /Line 2 .*index of an ending/],
    ["x.txt", "a\n1\nb\n\nd\ne\n", /Line 4 .*blank/],
    ["x.csv", "0,No gap here.,a,b,1", /Line 1 .*no _/],
    ["x.csv", "0,A _ here.,a,b,3", /Line 1 .*neither 1 nor 2/],
    ["x.csv", "0,A _ here.,a,b", /Line 1 .*five fields/],
    ["x.md", good, /none of the known endings/],
  ])("%s: %j is refused", async (name, content, message) => {
    await expect(loadTask(write(name, content))).rejects.toThrow(message);
  });

  test("a task that is not there", async () => {
    await expect(loadTask(join(folder, "none.jsonl"))).rejects.toThrow(/ENOENT/);
  });
});

describe("answers", () => {
  let example: OpenedExample;
  let session: Session;
  beforeAll(async () => {
    example = await openOnCpu(EXAMPLE_MODEL);
    session = example.openSession(64);
  });
  afterAll(() => example.close());

  /** log P(continuation | context) from the raw logits of the whole. */
  async function logLikelihood(context: string, continuation: string): Promise<number> {
    const { model } = example;
    const start = model.info.bos < 0 ? [] : [model.info.bos];
    const prefix = [...start, ...(await model.tokenize(context))];
    const tokens = Int32Array.of(...start, ...(await model.tokenize(context + continuation)));
    expect([...tokens.subarray(0, prefix.length)]).toEqual(prefix);
    const logits = await session.logits(tokens);
    const size = model.info.vocabularySize;
    let sum = 0;
    for (let target = prefix.length; target < tokens.length; target++) {
      const row = Float64Array.from(logits.subarray((target - 1) * size, target * size));
      sum += row[tokens[target]!]! - Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
    }
    return sum;
  }

  test("are those of the highest log-likelihood, raw and per byte", async () => {
    const items = [
      { context: "He looked at her and said nothing for a", choices: ["moment.", "purple elephant."] },
      { context: "She sat down by the", choices: ["zq", "window and looked out of it for a long time"] },
      { context: "It was a", choices: ["zzz qq", "very good thing", "great deal"] },
    ];
    const picks = { raw: [] as number[], normalized: [] as number[] };
    for (const { context, choices } of items) {
      const raw: number[] = [];
      for (const choice of choices) raw.push(await logLikelihood(context, ` ${choice}`));
      const perByte = raw.map((value, index) => value / (choices[index]!.length + 1));
      picks.raw.push(raw.indexOf(Math.max(...raw)));
      picks.normalized.push(perByte.indexOf(Math.max(...perByte)));
    }
    // The second item is made so that the two ways differ.
    expect(picks.raw[1]).not.toBe(picks.normalized[1]);
    const lines = items.map((item, index) => JSON.stringify({ ...item, answer: picks.raw[index] }));
    const task = await loadChoices(write("answers.jsonl", lines.join("\n")));
    const { raw, normalized } = await answerChoices(
      oneLane(session),
      await tokenizeChoices(example.model, task),
    );
    expect(raw).toEqual([true, true, true]);
    expect(normalized).toEqual(picks.raw.map((pick, index) => pick === picks.normalized[index]));
  });

  test("are what the model writes, up to a stop, where there are prompts", async () => {
    const { model } = example;
    const prompt = "He looked at her and said";
    const start = model.info.bos < 0 ? [] : [model.info.bos];
    const tokens = Int32Array.of(...start, ...(await model.tokenize(prompt)));
    // Greedily, one run of the whole for each token.
    let all = tokens;
    for (let step = 0; step < 12; step++) {
      const logits = await session.logits(all);
      const row = logits.subarray((all.length - 1) * model.info.vocabularySize);
      all = Int32Array.of(...all, row.indexOf(Math.max(...row)));
    }
    const text = await model.text(all.subarray(tokens.length));
    const exactly = (part: string) => `^${part.replaceAll(/[^\w\s]/g, "[$&]")}$`;
    const stop = text.slice(5, 7);
    const before = text.slice(0, text.indexOf(stop));
    const lines = [
      { prompt, match: exactly(text), tokens: 12 },
      { prompt, match: exactly(before), stop: ["\u0001", stop], tokens: 12 },
      { prompt, match: exactly(text), stop, tokens: 12 },
      { prompt, match: exactly(text), tokens: 6 },
    ].map((item) => JSON.stringify(item));
    const task = await tokenizeTask(model, await loadTask(write("prompts.jsonl", lines.join("\n"))));
    const side = { model, lanes: oneLane(session), states: example.states, skip: [] };
    expect(await answerTask(side, task)).toEqual({ matched: [true, true, false, false] });
  });

  test("the first of several stops ends an answer", () => {
    expect(upToStop("abcde", ["d", "b"])).toBe("a");
    expect(upToStop("abcde", ["x"])).toBe("abcde");
  });

  test("a pattern that backtracks without end is told by its line", () => {
    const endless = { match: /^(a+)+$/u, line: 7 };
    expect(matches(endless, "aaa", "t.jsonl")).toBe(true);
    expect(() => matches(endless, `${"a".repeat(50)}b`, "t.jsonl")).toThrow(/line 7 .*longer than a second/);
  });

  test("an item longer than the model's context is refused with its line", async () => {
    const long = { context: "It was so. ".repeat(300), choices: ["a", "b"], answer: 0 };
    const task = await loadTask(write("long.jsonl", `\n${JSON.stringify(long)}`));
    await expect(tokenizeTask(example.model, task)).rejects.toThrow(/line 2 .*context of 512/);
  });
});

test("a task is read as texts are: without its byte order mark, and in UTF-8 alone", async () => {
  const folder = temporaryFolder();
  const line = '{"context":"The sun","choices":["rises","sings"],"answer":0}';
  writeFileSync(join(folder, "bom.jsonl"), `\ufeff${line}\n`);
  expect((await loadTask(join(folder, "bom.jsonl"))).items).toHaveLength(1);
  writeFileSync(
    join(folder, "latin1.txt"),
    Buffer.from("caf\xe9 au lait\n0\na b\nc d\ne f\ng h\n", "latin1"),
  );
  await expect(loadTask(join(folder, "latin1.txt"))).rejects.toMatchObject({
    code: "EVALUATION_TASK_ENCODING",
    message: expect.stringContaining("line 1"),
  });
});
