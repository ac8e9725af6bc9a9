// Not in TypeScript's library yet (https://tc39.es/proposal-json-parse-with-source/).
const { isRawJSON } = JSON as unknown as { isRawJSON: (value: unknown) => boolean };

/** A number that JavaScript cannot hold is an object too (`JSON.rawJSON`), and none of these. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value);

/** JSON in one form only: keys in the order of their characters, no spaces. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sortKeys(value));

export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => compareText(a, b));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}

/** By characters, whatever the language of the machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What a text holds as JSON; undefined where it holds none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
