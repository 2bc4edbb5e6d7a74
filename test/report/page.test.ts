import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderHtml } from "../../src/report/html.ts";
import type { Showable } from "../../src/report/view.ts";
import { chromiumPath, launchChromium } from "../support/chromium.ts";
import {
  analysis20,
  analysis80,
  comparison20,
  fullReport,
  plan,
  report20,
  report80,
  typesComparison,
} from "./documents.ts";

const hostile = '"><script>alert(1)</script><b>&amp;';
const { similarity: _, ...withoutMatrix } = analysis20;
const DOCUMENTS: Record<string, Showable> = {
  "analysis of 20 blocks": analysis20,
  "analysis of 2 blocks": {
    ...analysis20,
    model: { blockCount: 2 },
    similarity: [
      [1, -0.2],
      [-0.2, 1],
    ],
    rls: null,
    k: 2,
    clusters: [0, 1],
    layers: [],
  },
  plan: report20.plan,
  "report of 20 blocks": report20,
  "report of 80 blocks": report80,
  "report without a matrix, nothing written": {
    ...report20,
    analysis: withoutMatrix,
    output: null,
    perplexity: null,
  },
  "report of everything": fullReport,
  comparison: comparison20,
  "comparison with types": typesComparison,
  "comparison without the types asked for": { ...comparison20, typesLeftOut: "It is quantised." },
  "hostile names": {
    ...report20,
    command: hostile,
    settings: { [hostile]: hostile },
    plan: {
      ...report20.plan,
      model: { ...report20.plan.model, name: hostile },
      method: hostile,
      removals: report20.plan.removals.map((removal) => ({ ...removal, text: hostile, reason: hostile })),
      passedOver: [{ layer: 4, rule: hostile }],
    },
  },
};

describe("the page's source", () => {
  test.each(Object.entries(DOCUMENTS))(
    "%s: is self-contained, and the same each time",
    async (_name, document) => {
      const page = await renderHtml(document);
      const references = page.match(/\b(?:src|href)=|@import|url\(/g);
      expect(references).toBeNull();
      expect(await renderHtml(document)).toBe(page);
    },
  );

  test("is under 500 kB for 80 blocks, however they are clustered and whatever is removed", async () => {
    const scattered = { ...analysis80, clusters: analysis80.clusters.map((_, layer) => layer % 2), k: 2 };
    const noisy = analysis80.similarity.map((row, i) =>
      row.map((value, j) => (i === j ? 1 : value * ((i * j * 7) % 11)) / 11),
    );
    const most = plan(
      analysis80,
      Array.from({ length: 70 }, (_, i) => i + 1),
    );
    for (const document of [
      report80,
      { ...report80, analysis: { ...scattered, similarity: noisy }, plan: most },
    ]) {
      expect(Buffer.byteLength(await renderHtml(document))).toBeLessThan(500_000);
    }
  });

  test("names are text, never markup", async () => {
    const page = await renderHtml(DOCUMENTS["hostile names"]!);
    expect(page).not.toContain("<script>alert");
    expect(page).toContain("&#60;script&#62;alert(1)");
  });
});

// A browser on a busy machine needs its time.
const patient = { timeout: 600_000 };

describe.skipIf(chromiumPath === undefined)(
  "the page in Chromium (skipped where there is none)",
  patient,
  () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    let browser: Browser;
    let folder: string;

    beforeAll(async () => {
      browser = await launchChromium();
      folder = await mkdtemp(join(tmpdir(), "lorp-page-"));
    }, patient.timeout);
    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true });
    });

    /** Opens a document's page from a file; complaints are console messages, script errors, and requests. */
    async function open(document: Showable, colorScheme: "light" | "dark" = "light") {
      const file = join(folder, "page.html");
      await writeFile(file, await renderHtml(document));
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme });
      page.setDefaultTimeout(patient.timeout);
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("dialog", (dialog) => complaints.push(dialog.message()));
      page.on("request", (request) => {
        if (request.url() !== pathToFileURL(file).href) complaints.push(request.url());
      });
      await page.goto(pathToFileURL(file).href);
      return { page, complaints };
    }

    test.each(Object.entries(DOCUMENTS))(
      "%s: no complaint, no sideways scrolling",
      async (_name, document) => {
        const { page, complaints } = await open(document);
        for (const width of [1200, 390]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
        }
        expect(complaints).toEqual([]);
        await page.close();
      },
    );

    test.each([
      ["everything", fullReport],
      ["80 blocks", report80],
      ["comparison", comparison20],
    ] as const)("%s: axe finds no violation, in light and in dark", async (_name, document) => {
      const { page } = await open(document);
      await page.evaluate(axe);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const { violations } = await page.evaluate<AxeResults>("axe.run()");
        expect(violations.map(({ id, nodes }) => `${colorScheme}, ${id}: ${nodes[0]?.html}`)).toEqual([]);
      }
      await page.close();
    });

    test("every figure is an image with a name and a description", async () => {
      for (const document of [report20, comparison20]) {
        const { page } = await open(document);
        const figures = page.locator("figure");
        expect(await figures.count()).toBeGreaterThanOrEqual(4);
        expect(await page.getByRole("img").count()).toBe(await figures.count());
        for (const svg of await page.locator("figure svg").all()) {
          const id = await svg.getAttribute("id");
          expect(await svg.getAttribute("aria-labelledby")).toBe(`${id}-title`);
          expect(await page.locator(`[id="${id}-title"]`).textContent()).toMatch(/\w{4}/);
          expect(await page.locator(`[id="${id}-description"]`).textContent()).toMatch(/\w{4}/);
        }
        await page.close();
      }
    });

    test.each([
      ["20", report20, analysis20.similarity],
      ["80", report80, analysis80.similarity],
    ] as const)("of %s blocks: the hovered value is the matrix's", async (_name, document, similarity) => {
      const { page } = await open(document);
      await page.locator("#matrix").scrollIntoViewIfNeeded();
      const box = (await page.locator("#matrix").boundingBox())!;
      const last = similarity.length - 1;
      for (const [row, column] of [
        [0, 0],
        [0, last],
        [last, 0],
        [last, last],
        [3, 10],
        [11, 2],
        [17, 17],
      ] as const) {
        const at = (index: number) =>
          (44 + ((640 - 44) * (index + 0.5)) / similarity.length) * (box.width / 640);
        await page.mouse.move(box.x + at(column), box.y + at(row));
        expect(await readout(page)).toEqual(expected(similarity, row, column));
      }
      await page.close();
    });

    test("the keys lead to every cell", async () => {
      const { page } = await open(report20);
      const { similarity } = analysis20;
      await page.locator("#matrix-cells").focus();
      expect(await readout(page)).toEqual(expected(similarity, 0, 0));
      const steps = [
        ["ArrowDown", 1, 0],
        ["ArrowRight", 1, 1],
        ["End", 1, 19],
        ["ArrowRight", 1, 19],
        ["PageDown", 19, 19],
        ["ArrowLeft", 19, 18],
        ["ArrowUp", 18, 18],
        ["Home", 18, 0],
        ["PageUp", 0, 0],
      ] as const;
      for (const [key, row, column] of steps) {
        await page.keyboard.press(key);
        expect(await readout(page), key).toEqual(expected(similarity, row, column));
      }
      expect(await page.locator("#matrix-value").evaluate((output) => output.tagName)).toBe("OUTPUT");
      await page.close();
    });

    test("the colour of a cell is that of its value on the scale, in light and in dark", async () => {
      const colours = { light: "#241b45", dark: "#e6f3c4" };
      for (const scheme of ["light", "dark"] as const) {
        const { page } = await open(report20, scheme);
        const alike = page.locator("#matrix path[fill='var(--similarity-63)']");
        const fill = await alike.evaluate(
          (path) => path.ownerDocument.defaultView!.getComputedStyle(path).fill,
        );
        const [red, green, blue] = [1, 3, 5].map((at) =>
          Number.parseInt(colours[scheme].slice(at, at + 2), 16),
        );
        expect(fill).toBe(`rgb(${red}, ${green}, ${blue})`);
        // Every cell of the diagonal is among the cells of the last step.
        const path = await alike.getAttribute("d");
        expect(path).toContain("M0 0h1");
        await page.close();
      }
    });

    test("printed, the page is light and lacks what only a screen can do", async () => {
      const { page } = await open(report20, "dark");
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      expect(await page.locator("#matrix-help").isVisible()).toBe(false);
      expect(
        await page.locator("h1").evaluate((h1) => h1.ownerDocument.defaultView!.getComputedStyle(h1).color),
      ).toBe("rgb(27, 29, 36)");
      await page.close();
    });
  },
);

/** What the page says about the cell it shows: value, blocks, distance, clusters. */
const readout = (page: Page) => page.locator("#matrix-value > *").allTextContents();

function expected(similarity: readonly (readonly number[])[], row: number, column: number): string[] {
  const { plan, analysis } = similarity.length === 20 ? report20 : report80;
  const block = (layer: number) => `layer ${layer}${plan.removedLayers.includes(layer) ? " (removed)" : ""}`;
  const apart = Math.abs(row - column);
  const [a, b] = [analysis!.clusters[row], analysis!.clusters[column]];
  return [
    similarity[row]![column]!.toFixed(6),
    `${block(row)} and ${block(column)}`,
    apart === 0 ? "the same layer" : apart === 1 ? "1 layer apart" : `${apart} layers apart`,
    a === b ? `both in cluster ${a}` : `clusters ${a} and ${b}`,
  ];
}
