/** Integers beyond what JavaScript can hold keep their digits: Helm values may have some. */
export const parseExactly = (text: string): unknown =>
  longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);

/** Outside of words and strings: hashes have as many digits in a row, and to look at each value of a list takes long. */
const longNumber = /(?<![\w"])\d{16}/;

// Not in TypeScript's library yet (https://tc39.es/proposal-json-parse-with-source/).
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

const keepDigits = (_: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined
    ? rawJSON(context.source)
    : value;
