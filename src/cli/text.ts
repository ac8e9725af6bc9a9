import { stripVTControlCharacters } from 'node:util';
import { durationText } from '../model/text/duration.ts';

export { durationText };

/**
 * Text that others wrote (subjects, errors, logs), fit for a terminal: without escape sequences, which could rewrite
 * what stands above, and without other control and format characters than line ends and tabs.
 */
export const harmless = (text: string): string =>
  stripVTControlCharacters(text).replace(/[^\P{C}\n\t]/gu, '');

/** Between two moments in ISO 8601; a missing end is now. */
export const durationBetween = (from: string, to: string | undefined, now: number): string =>
  durationText((to === undefined ? now : Date.parse(to)) - Date.parse(from));

export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** Breaks at spaces; a word that is longer than a line stays whole, so that a link can be copied. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width);
      const end = space > 0 ? space : rest.indexOf(' ', width);
      if (end < 0) break;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end + 1);
    }
    lines.push(rest);
    return lines;
  });
}

/** So much of a commit names it in the eyes of a person. */
export const shortChange = (change: string): string => {
  const [service = '', commit = ''] = change.split('/');
  return `${service}/${commit.slice(0, 10)}`;
};
