/** Inside code nothing is markup, a mention or a reference; the fence is longer than any run of backticks in it. */
export function inlineCode(text: string): string {
  const shown = plain(text).slice(0, 200) || ' ';
  const fence = '`'.repeat(longestRun(shown) + 1);
  return `${fence}${shown.includes('`') ? ` ${shown} ` : shown}${fence}`;
}

/** The same for several lines. */
export function codeBlock(text: string, language = ''): string {
  const shown = plain(text, '\n\t');
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

const longestRun = (text: string): number =>
  Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** Without control characters (terminal escapes) and those that reorder text, but for the ones kept. */
export const plain = (text: string, kept = ''): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => (kept.includes(character) ? character : ' '));
