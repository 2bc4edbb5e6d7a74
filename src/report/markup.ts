/** A piece of HTML that needs no more escaping. */
export interface Markup {
  readonly markup: string;
}

type Content = string | number | Markup | undefined | readonly Content[];

/** HTML with every text in it escaped; nothing for undefined, lists one after the other. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return {
    markup: strings.map((string, i) => string + (i < values.length ? render(values[i]) : "")).join(""),
  };
}

/** Text that is markup already, such as a figure. */
export const raw = (markup: string): Markup => ({ markup });

function render(value: Content): string {
  if (value === undefined) return "";
  if (typeof value === "object") return "markup" in value ? value.markup : value.map(render).join("");
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
