import { parseHTML } from "linkedom";
import { properties } from "../../src/report/style.ts";

/** Room round the drawing, in its own pixels. */
const PADDING = 16;

/**
 * A figure of a report's page as a file of its own, that looks as on the page wherever it is shown: with the page's
 * colours, light or dark, and its own ground.
 */
export function standaloneFigure(page: string, id: string): string {
  const { document } = parseHTML(page);
  const figure = document.getElementById(id);
  if (figure === null) throw new Error(`the page has no figure ${id}`);
  const [width, height] = ["width", "height"].map(
    (side) => Number(figure.getAttribute(side)) + 2 * PADDING,
  ) as [number, number];
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  figure.setAttribute("viewBox", `${-PADDING} ${-PADDING} ${width} ${height}`);
  figure.setAttribute("width", String(width));
  figure.setAttribute("height", String(height));
  const drawing = figure.outerHTML;
  const used = new Set(["--surface", "--muted", ...(drawing.match(/--[\w-]+(?=\))/g) ?? [])]);
  const colours = (theme: "light" | "dark") =>
    properties(theme)
      .split(";")
      .map((property) => property.trim())
      .filter((property) => used.has(property.split(":")[0]!))
      .join(";");
  const style = [
    `svg{${colours("light")};color:var(--muted)}text{font-family:system-ui,sans-serif}`,
    `@media (prefers-color-scheme:dark){svg{${colours("dark")}}}`,
  ].join("\n");
  const ground = `<rect fill="var(--surface)" x="${-PADDING}" y="${-PADDING}" width="${width}" height="${height}" rx="12"/>`;
  return `${drawing.replace(/<g/, `<style>${style}</style>${ground}<g`)}\n`;
}
