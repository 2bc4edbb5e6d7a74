// Analyses a model, shows how far the work is, and stops after a number of seconds if it is not done by then.
//
//   node examples/with-progress.js <model.gguf> [seconds]
import { AbortedError, analyze, plan } from "lorp";

const [model, seconds = "60"] = process.argv.slice(2);
if (model === undefined) {
  console.error("usage: node examples/with-progress.js <model.gguf> [seconds]");
  process.exit(2);
}

try {
  const analysis = await analyze(model, {
    sequences: 4,
    signal: AbortSignal.timeout(Number(seconds) * 1000),
    onProgress: ({ stage, done, total }) => {
      process.stderr.write(`\r${stage} ${Math.round((100 * done) / total)} %  `);
    },
  });
  process.stderr.write("\n");
  // Planning needs no model, so any number of budgets can be tried at once.
  for (const remove of [2, 4, 6]) {
    console.log(`without ${remove} layers: ${plan(analysis, { remove }).removedLayers.join(", ")}`);
  }
} catch (error) {
  if (!(error instanceof AbortedError)) throw error;
  console.error(`\nnot done after ${seconds} s`);
  process.exitCode = 1;
}
