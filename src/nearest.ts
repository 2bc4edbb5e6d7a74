/** What somebody may have meant who wrote a name that there is not. */

/**
 * The candidate that is a slip away from a word, or begins with it; undefined where none is near. Case does not count, nor
 * do dashes and underscores.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, "");
  const wanted = plain(word);
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const ranked = [...candidates]
    .map((candidate) => {
      const name = plain(candidate);
      const begins = wanted.length > 1 && name.startsWith(wanted);
      return { candidate, distance: Math.min(distance(wanted, name), begins ? 1 : most + 1) };
    })
    .filter((one) => one.distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** ` Did you mean …?`, to stand after a message, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? "" : ` Did you mean ${meant}?`;
}

/** Letters to put in, leave out, replace or swap with their neighbour (Damerau and Levenshtein, each place once). */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const differs = one[i - 1] === other[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          rows[i - 1]![j]! + 1,
          row[j - 1]! + 1,
          rows[i - 1]![j - 1]! + differs,
          ...(swapped ? [rows[i - 2]![j - 2]! + 1] : []),
        ),
      );
    }
    rows.push(row);
  }
  return rows[one.length]![other.length]!;
}
