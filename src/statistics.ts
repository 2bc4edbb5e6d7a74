/** A mean and how sure it is. */
export interface Estimate {
  readonly mean: number;
  /** Standard deviation of the values / √n; null of fewer than two values. */
  readonly standardError: number | null;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

export function estimate(values: ArrayLike<number>): Estimate {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i]!;
  const mean = sum / n;
  if (n < 2) return { mean, standardError: null };
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i]! - mean) ** 2;
  return { mean, standardError: Math.sqrt(squares / (n - 1) / n) };
}

/** The q-quantile of ascending values, 0 ≤ q ≤ 1, between neighbours in proportion. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const position = q * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (position - below) * (high - low);
}

/** The normal distribution's 97.5 % quantile. */
const Z_95 = 1.959963984540054;

/**
 * The 95 % confidence interval of a share by Wilson's score (E. B. Wilson 1927), which stays within 0…1 and is good
 * for small n too.
 */
export function wilsonInterval(successes: number, n: number): [low: number, high: number] {
  const share = successes / n;
  const z2n = Z_95 ** 2 / n;
  const centre = share + z2n / 2;
  const half = Z_95 * Math.sqrt((share * (1 - share)) / n + z2n / (4 * n));
  // Rounding must not put the end beyond a share of exactly 0 or 1.
  return [Math.max(0, (centre - half) / (1 + z2n)), Math.min(1, (centre + half) / (1 + z2n))];
}

/**
 * How likely two equally good methods would differ at least as much on the same items: McNemar's exact test, two-sided
 * (Q. McNemar 1947), on the items that only one of them gets right.
 */
export function mcNemar(onlyOne: number, onlyOther: number): number {
  const n = onlyOne + onlyOther;
  let tail = 0;
  // C(n, i) / 2ⁿ, from logarithms, since the powers leave the range of numbers.
  let logTerm = -n * Math.LN2;
  for (let i = 0; i <= Math.min(onlyOne, onlyOther); i++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - i) - Math.log(i + 1);
  }
  return Math.min(1, 2 * tail);
}
