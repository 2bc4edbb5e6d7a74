import { expect, test, vi } from "vitest";
import { report20 } from "./documents.ts";

test("the plotting library is loaded by the first page, not before", async () => {
  const loaded = vi.fn(() => ({}));
  vi.doMock("@observablehq/plot", loaded);
  const { renderHtml } = await import("../../src/report/html.ts");
  await import("../../src/report/terminal/index.ts");
  expect(loaded).not.toHaveBeenCalled();
  await expect(renderHtml(report20)).rejects.toThrow();
  expect(loaded).toHaveBeenCalledOnce();
});
