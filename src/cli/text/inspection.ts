import type { InspectedBlock, Inspection } from "../../api/inspect.ts";
import { TIED_EMBEDDING } from "../../inspection/blocks.ts";
import {
  formatBytes,
  formatCount,
  formatDepth,
  formatLayers,
  formatPercent,
  formatTable,
  TEXT_WIDTH,
  wrapText,
} from "../../report/format.ts";
import { sum } from "../../statistics.ts";

/** Numbers of layers whose savings are shown, as far as a model has them. */
const SHOWN = [1, 2, 3, 5, 8, 12, 16, 24, 32, 48];

/** Share of a file from which what is outside the layers is what its size is about. */
const MOST = 0.5;

/** What a model is made of, in at most 80 columns where its own names allow. */
export function describeInspection({ model, blocks, rest, savings }: Inspection): string {
  const fileBytes = model.fileBytes ?? 0;
  const rows = [
    ...foldedRows(blocks),
    ...rest.parts.map(({ name, types, bytes, fileShare, computeShare }) => [
      name,
      types.join("+"),
      formatBytes(bytes),
      formatPercent(fileShare),
      formatPercent(computeShare),
      "",
    ]),
  ];
  const shown = savings.filter(({ remove }) => SHOWN.includes(remove));
  return [
    `${model.name ?? "model"}: ${model.architecture}, ${formatDepth(model)}, ${formatCount(model.parameters ?? 0)} parameters, ${formatBytes(fileBytes)}`,
    "",
    formatTable([["layers", "types", "size", "of file", "of compute", ""], ...rows]),
    ...describeFixed(blocks),
    ...(rest.parts.some(({ name }) => name === TIED_EMBEDDING)
      ? [`${TIED_EMBEDDING}: it serves as the output projection too.`]
      : []),
    "",
    formatTable([
      ["remove", "saves", "of file", "of compute"],
      ...shown.map(({ remove, bytes, fileShare, computeShare }) => [
        String(remove),
        formatBytes(bytes),
        formatPercent(fileShare),
        formatPercent(computeShare),
      ]),
    ]),
    ...describeReach(rest, fileBytes, savings),
  ].join("\n");
}

/** Layers side by side that look the same are one row, with what they come to together. */
function foldedRows(blocks: readonly InspectedBlock[]): string[][] {
  const looks = ({ types, bytes, fixedBy, inserted }: InspectedBlock) =>
    [types, bytes, fixedBy, inserted].join();
  const folded: InspectedBlock[][] = [];
  for (const block of blocks) {
    const last = folded.at(-1);
    if (last?.[0] && looks(last[0]) === looks(block)) last.push(block);
    else folded.push([block]);
  }
  return folded.map((alike) => {
    const { types, bytes, fixedBy, inserted } = alike[0]!;
    const count = alike.length;
    return [
      formatLayers(alike.map(({ layer }) => layer)),
      types.join("+"),
      count === 1 ? formatBytes(bytes) : `${count} × ${formatBytes(bytes)}`,
      formatPercent(sum(alike.map(({ fileShare }) => fileShare))),
      formatPercent(sum(alike.map(({ computeShare }) => computeShare))),
      fixedBy ? "fixed" : inserted ? "bridge" : "",
    ];
  });
}

/** What holds layers, each reason once. */
function describeFixed(blocks: readonly InspectedBlock[]): string[] {
  const rules = [...new Set(blocks.flatMap(({ fixedBy }) => fixedBy ?? []))];
  if (rules.length === 0) return [];
  const held = (rule: string) =>
    formatLayers(blocks.filter(({ fixedBy }) => fixedBy === rule).map(({ layer }) => layer));
  return [
    "fixed: the architecture holds the layer; --remove passes it over, --layers refuses it.",
    ...rules.map((rule) => wrapText(`  ${held(rule)}: ${rule}`, TEXT_WIDTH, "    ")),
  ];
}

/** What removing layers cannot make small, where that is most of the file. */
function describeReach(
  rest: Inspection["rest"],
  fileBytes: number,
  savings: Inspection["savings"],
): string[] {
  const [largest] = rest.parts;
  const half = savings[Math.ceil(savings.length / 2) - 1];
  if (!largest || !half || rest.bytes < MOST * fileBytes) return [];
  return [
    "",
    wrapText(
      `Depth saves little here: ${formatPercent(rest.bytes / fileBytes)} of the file is in no layer (most of it the ${largest.name}), and stays whatever goes. Without half the layers the file is ${formatPercent(half.fileShare)} smaller, and a token takes ${formatPercent(half.computeShare)} less to compute.`,
      TEXT_WIDTH,
    ),
  ];
}
