/** Names there are, those first that are most like one that there is not. */
export const closestFirst = (name: string, known: Iterable<string>): string[] =>
  [...new Set(known)]
    .map((other) => ({ other, edits: editsBetween(name, other) }))
    .toSorted((a, b) => a.edits - b.edits || a.other.localeCompare(b.other))
    .map(({ other }) => other);

/** How many letters have to be put in, taken out or replaced (Levenshtein's distance). */
function editsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
