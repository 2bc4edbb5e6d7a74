const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes for people, powers of 1000, three significant digits: `13.8 MB`. */
export function formatBytes(bytes: number): string {
  return formatScaled(bytes, BYTE_UNITS);
}

/** A count for people: `12.9 M`. */
export function formatCount(count: number): string {
  return formatScaled(count, ["", "k", "M", "B", "T"]);
}

function formatScaled(value: number, units: readonly string[]): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = unit === 0 ? Math.round(scaled).toString() : scaled.toPrecision(3);
  return `${digits} ${units[unit]}`.trimEnd();
}

/** Seconds for people: `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** A share as a percentage with one decimal: `12.3 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Rows of cells as aligned columns; the first column to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
