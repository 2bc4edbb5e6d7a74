/** A source of numbers in [0, 1) that is the same on every platform for the same seed. */
export type Random = () => number;

/**
 * The 32-bit SplitMix generator (Steele, Lea & Flood 2014, with the finaliser of MurmurHash3).
 * @param seed a whole number from 0 on; all of its 53 bits count
 */
export function createRandom(seed: number): Random {
  let state = mix(mix(seed >>> 0) ^ Math.floor(seed / 2 ** 32));
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
}

/** A copy in random order (Fisher & Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

function mix(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
