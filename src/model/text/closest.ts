/** The texts, the one that is most like `wanted` first. */
export const closestFirst = (wanted: string, texts: Iterable<string>): string[] =>
  [...new Set(texts)]
    .map((text) => ({ text, distance: editDistance(wanted, text) }))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ text }) => text);

/** How many characters have to be added, taken away or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, character] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + Number(character !== b[j]);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
