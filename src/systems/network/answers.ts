import { plain } from '../../model/text/markdown.ts';

/** What an answer over HTTP that is no success means, whoever gave it. */
export type AnswerKind = 'auth' | 'forbidden' | 'missing' | 'invalid' | 'rate-limited' | 'unavailable';

export interface Answer {
  status: number;
  /** What it says. */
  text: string;
  /** By its name in small letters. */
  header: (name: string) => string | undefined;
}

export interface AnswerSorted {
  kind: AnswerKind;
  /** How long the other side wants to be left alone. */
  retryAfterMs?: number;
}

/** Of limits that say no time: GitHub asks for a minute at least. */
const usualWaitMs = 60_000;

const limits = /rate.?limit|too ?many ?requests|abuse detection/i;

/** Besides 403, what stands for "you may not, and never will": to be paid for, locked (an archive), blocked by law. */
const forbidden = new Set([402, 403, 423, 451]);

export function sortAnswer(answer: Answer): AnswerSorted {
  const kind = kindOf(answer);
  const isLimited = kind === 'rate-limited';
  const retryAfterMs = toldWait(answer.header, isLimited) ?? (isLimited ? usualWaitMs : undefined);
  return { kind, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function kindOf({ status, text, header }: Answer): AnswerKind {
  if (status === 401) return 'auth';
  if (status === 429 || (status === 403 && isLimit(text, header))) return 'rate-limited';
  if (forbidden.has(status)) return 'forbidden';
  // Elsewhere by now, or gone for good.
  if (status < 400 || status === 404 || status === 410) return 'missing';
  return status >= 500 || status === 408 || status === 425 ? 'unavailable' : 'invalid';
}

/** GitHub tells of its limits by 403, too. */
const isLimit = (text: string, header: Answer['header']): boolean =>
  limits.test(text) || header('retry-after') !== undefined || header('x-ratelimit-remaining') === '0';

/** Milliseconds: in seconds or as a date, as HTTP has it, or by the time at which GitHub's limit is lifted. */
function toldWait(header: Answer['header'], isLimited: boolean): number | undefined {
  const after = header('retry-after') ?? '';
  const isSpent = isLimited && (header('x-ratelimit-remaining') ?? '0') === '0';
  const waits = [
    /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now(),
    isSpent ? Number(header('x-ratelimit-reset')) * 1000 - Date.now() : 0,
  ];
  return waits.find((wait) => wait > 0);
}

/** What may be a secret: credentials in a URL, its query, credentials of requests, tokens by their known beginnings. */
const secrets: [RegExp, string][] = [
  [/\b(\w+:\/\/)[^\s/]*@/g, '$1'],
  [/\b(\w+:\/\/[^\s?#'"]*)[?#][^\s'"]*/g, '$1'],
  [/\b(basic|bearer|token)\s+[\w+/=.~-]{20,}/gi, '$1 …'],
  [/\b(gh[a-z]_|github_pat_|glpat-)\w[\w-]+/g, '$1…'],
];

const mostCharacters = 1000;

/** Somebody else's words as one line that may be shown to anybody: of a page its title, and nothing that is secret. */
export function shownWords(text: string): string {
  const read = text.slice(0, 20 * mostCharacters);
  const [, title] = /<title[^>]*>([^<]*)/i.exec(read) ?? [];
  const line = plain(title ?? read)
    .replace(/\s+/g, ' ')
    .trim();
  const safe = secrets.reduce((words, [pattern, instead]) => words.replace(pattern, instead), line);
  return safe.slice(0, mostCharacters);
}
