/**
 * The word that somebody may have meant: at most a third of its letters apart.
 *
 * @returns undefined when none is close
 */
export function closest(word: string, words: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const near = words
    .map((candidate) => ({ candidate, apart: distance(lower, candidate.toLowerCase()) }))
    .filter(({ candidate, apart }) => apart <= Math.ceil(candidate.length / 3))
    .toSorted((a, b) => a.apart - b.apart);
  return near[0]?.candidate;
}

/** Letters to add, remove or exchange (Levenshtein); of long words only the beginning counts. */
function distance(a: string, b: string): number {
  const from = Array.from(a.slice(0, 40));
  const to = Array.from(b.slice(0, 40));
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      const exchanged = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(exchanged, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
