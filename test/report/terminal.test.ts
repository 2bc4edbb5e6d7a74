import { describe, expect, test } from "vitest";
import { describeReport } from "../../src/cli/text/documents.ts";
import { hex, level, similarityScale } from "../../src/report/palette.ts";
import { renderChanges, renderDepthStrip, renderHeatmap } from "../../src/report/terminal/index.ts";
import { analysis20, report20, report80 } from "./documents.ts";

const ESCAPE = "\u001b";
const sequences = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");
const plain = (text: string) => text.replace(sequences, "");
const longest = (text: string) =>
  Math.max(
    ...plain(text)
      .split("\n")
      .map((line) => [...line].length),
  );
const depths = ["none", "256", "truecolour"] as const;

/** A model of `blocks` blocks whose likeness falls off evenly. */
const matrix = (blocks: number) =>
  Array.from({ length: blocks }, (_, i) =>
    Array.from({ length: blocks }, (_, j) => 1 - Math.abs(i - j) / blocks),
  );

describe("everything", () => {
  test.each([2, 3, 19, 20, 24, 25, 38, 39, 76, 77, 80, 126, 200])(
    "%i blocks fit into the width",
    (blocks) => {
      for (const width of [40, 80, 120]) {
        for (const colour of depths) {
          const style = { colour, width };
          const removed = [1, blocks - 1];
          expect(longest(renderHeatmap(matrix(blocks), style, removed))).toBeLessThanOrEqual(width);
          expect(longest(renderDepthStrip({ blockCount: blocks, removed }, style))).toBeLessThanOrEqual(
            width,
          );
        }
      }
    },
  );

  test.each([report20, report80])("what is said of a pruned model fits into 80 columns", (document) =>
    expect(longest(describeReport(document))).toBeLessThanOrEqual(80),
  );

  test("without colours there is no escape sequence, with them none stays open", () => {
    const drawn = (colour: (typeof depths)[number]) => {
      const style = { colour, width: 80 };
      const depth = { blockCount: 20, removed: [3, 10], clusters: analysis20.clusters };
      return `${renderHeatmap(analysis20.similarity, style, [3])}\n${renderDepthStrip(depth, style)}`;
    };
    expect(drawn("none")).not.toContain(ESCAPE);
    for (const colour of ["256", "truecolour"] as const) {
      for (const line of drawn(colour).split("\n")) {
        const last = line.match(sequences)?.at(-1);
        if (last !== undefined) expect(last).toBe(`${ESCAPE}[0m`);
      }
      expect(drawn(colour)).toContain(colour === "256" ? "48;5;" : "48;2;");
    }
  });
});

describe("the heat map", () => {
  test("of few blocks has each cell in the colour of its value", () => {
    const lines = renderHeatmap(analysis20.similarity, { colour: "truecolour", width: 80 })
      .split("\n")
      .slice(1);
    expect(lines).toHaveLength(20);
    const scale = similarityScale("dark").map(hex);
    lines.forEach((line, i) => {
      const colours = cells(line).map(({ back }) => back);
      expect(colours).toEqual(analysis20.similarity[i]!.map((value) => scale[level(value)]));
    });
  });

  test("of many blocks shows two rows in one line", () => {
    const similarity = matrix(31);
    const lines = renderHeatmap(similarity, { colour: "truecolour", width: 80 }).split("\n").slice(1);
    expect(lines).toHaveLength(16);
    const scale = similarityScale("dark").map(hex);
    lines.forEach((line, i) => {
      expect(cells(line).map(({ front }) => front)).toEqual(
        similarity[2 * i]!.map((value) => scale[level(value)]),
      );
      const below = similarity[2 * i + 1]?.map((value) => scale[level(value)]);
      expect(cells(line).map(({ back }) => back)).toEqual(below ?? Array(31).fill(undefined));
    });
  });

  test("too wide for the terminal is averaged", () => {
    const checkers = Array.from({ length: 80 }, (_, i) =>
      Array.from({ length: 80 }, (_, j) => ((i + j) % 2 === 0 ? 1 : 0)),
    );
    const text = renderHeatmap(checkers, { colour: "none", width: 48 }, [79]);
    const [ruler, crosses, ...lines] = text.split("\n");
    // 22 cells of two characters have room, so each stands for 4 × 4 blocks, half of them alike.
    expect(lines).toHaveLength(20);
    expect(lines[1]).toBe(`  4 ${"▒▒".repeat(20)}`);
    expect(ruler).toBe(`    0${" ".repeat(19)}40`);
    expect(crosses).toBe(`    ${"  ".repeat(19)}×`);
  });

  test("without colours has a shade for each value, and crosses above removed blocks", () => {
    const similarity = [
      [1, 0.74, 0.5],
      [0.74, 1, -0.3],
      [0.5, -0.3, 1],
    ];
    expect(renderHeatmap(similarity, { colour: "none", width: 80 }, [1]).split("\n")).toEqual([
      "    0",
      "      ×",
      "  0 ██▓▓▒▒",
      "  1 ▓▓██",
      "  2 ▒▒  ██",
    ]);
  });
});

test("the depth strip shows each block, hollow where removed, in lines of tens", () => {
  const strip = renderDepthStrip({ blockCount: 50, removed: [0, 30, 49] }, { colour: "none", width: 80 });
  const [, first, ruler, second] = strip.split("\n");
  expect(strip.match(/■/g)).toHaveLength(47);
  expect(first).toBe(`    □ ${"■ ".repeat(29)}`.trimEnd());
  expect(ruler).toBe("    30        35        40        45");
  expect(second).toBe(`    □ ${"■ ".repeat(18)}□`);
});

test("the table says what changed in one aligned table", () => {
  expect(renderChanges(report20).split("\n")).toEqual([
    "                original   pruned        change",
    "layers                20       15       −25.0 %",
    "weights           12.9 M   10.0 M       −22.5 %",
    "file size        13.8 MB  10.7 MB       −22.5 %",
    "perplexity         57.86    64.21       +11.0 %",
    "KL divergence          –   0.1083  nats a token",
    "same top token   100.0 %   87.1 %       −12.9 %",
  ]);
});

/** The cells of a truecolour line: for every half block, or every two blanks, its colours. */
function cells(line: string): { front: string | undefined; back: string | undefined }[] {
  const parts = line.split(new RegExp(`(${ESCAPE}\\[[0-9;]*m)`)).slice(1);
  let front: string | undefined;
  let back: string | undefined;
  const found: { front: string | undefined; back: string | undefined }[] = [];
  for (const part of parts) {
    if (part.startsWith(ESCAPE)) {
      const colour = (layer: number) => {
        const match = new RegExp(`${layer};2;(\\d+);(\\d+);(\\d+)`).exec(part);
        return match ? hex([Number(match[1]), Number(match[2]), Number(match[3])]) : undefined;
      };
      front = colour(38);
      back = colour(48);
    } else {
      const width = part.includes("▀") ? 1 : 2;
      for (let i = 0; i < part.length; i += width) found.push({ front, back });
    }
  }
  return found;
}
