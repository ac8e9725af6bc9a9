/** Enough to see what is wrong; the rest is in the object store. */
const mostLines = 20;
const mostCharacters = 4000;

/** So many bytes hold that many characters, whatever they are. */
export const logEndBytes = 4 * mostCharacters;

/** How a log ends, as it is shown below an error. */
export const logEnd = (text: string): string =>
  text.trimEnd().split('\n').slice(-mostLines).join('\n').slice(-mostCharacters);
