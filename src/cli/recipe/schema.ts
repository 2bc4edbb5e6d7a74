import type { Command, Option } from "commander";
import type { Schema } from "../../documents/schema.ts";
import { COMMON, recipeOptions } from "./options.ts";

/** A schema with words for people. */
interface DescribedSchema extends Schema {
  readonly title?: string;
  readonly description: string;
}

/** The schema of lorp.config.json, made from the command tree. */
export function recipeSchema(commands: readonly Command[]): DescribedSchema {
  const sections = commands
    .filter((command) => recipeOptions(command).length > 0)
    .map((command) => [command.name(), section(command.description(), recipeOptions(command))]);
  return {
    type: "object",
    properties: {
      $schema: { type: "string", description: "For editors." },
      [COMMON]: section("Options of every command that has them.", commands.flatMap(recipeOptions)),
      ...Object.fromEntries(sections),
    },
    title: "lorp recipe",
    description: "Options for lorp's commands; those on the command line go before them.",
    additionalProperties: false,
  };
}

/** Of several options with one name the last is described. */
function section(description: string, options: readonly Option[]): DescribedSchema {
  const properties = Object.fromEntries(
    options.map((option) => [option.attributeName(), optionSchema(option)]),
  );
  return { type: "object", properties, description, additionalProperties: false };
}

function optionSchema(option: Option): DescribedSchema {
  const { argChoices, required, optional, variadic, negate } = option;
  const description = negate ? `false: ${option.description}` : option.description;
  if (argChoices) return { enum: argChoices, description };
  const value = ["string", "number"];
  if (variadic) return { type: "array", items: { type: value }, description };
  if (required) return { type: value, description };
  return { type: optional ? ["boolean", "string"] : "boolean", description };
}
