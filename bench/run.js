// All benchmarks, one after the other: tables on stderr, one JSON document on stdout. Needs `npm run build` first.
//
//   npm run bench [-- --quick]
//
// With --quick: fewer runs and a small file, to see that they work; its numbers mean little.
import { parseArgs } from "node:util";
import { benchCapture, printCapture } from "./capture.js";
import { benchDecide, printDecide } from "./decide.js";
import { benchSurgery, printSurgery } from "./surgery.js";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const runs = values.quick ? 1 : 7;

const capture = await benchCapture({ runs, tokens: values.quick ? 1024 : 4096 });
printCapture(capture);
const decide = await benchDecide({ runs });
printDecide(decide);
const surgery = await benchSurgery({ runs, size: values.quick ? 1e8 : 4e9 });
printSurgery(surgery);
console.log(JSON.stringify({ capture, decide, surgery }, null, 2));
