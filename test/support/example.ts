import { fileURLToPath } from "node:url";

/** The small trained model that comes with the project. */
export const EXAMPLE_MODEL = fileURLToPath(new URL("../../examples/books-20l-q8_0.gguf", import.meta.url));
