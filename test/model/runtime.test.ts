import { expect, test } from "vitest";
import { openRuntime } from "../../src/model/runtime.ts";

test("what cannot be opened does not stand in the way of another choice", async () => {
  // No server listens there; without the RPC backend that is what is told.
  const refused = openRuntime("off", ["127.0.0.1:1"]);
  await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^RUNTIME_RPC_/) });
  const runtime = await openRuntime("off");
  expect(runtime.device).toBe("cpu");
  expect(openRuntime("off")).toBe(openRuntime("off"));
});
