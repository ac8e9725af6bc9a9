import { shownWords, sortAnswer, type Answer } from '../network/answers.ts';
import { caFileAdvice } from '../network/certificates.ts';
import { GitError, type GitErrorKind } from './index.ts';

export interface Failure {
  /** `push`, `fetch`, … */
  command: string;
  /** All that git said; of a push its report (`--porcelain`) as well. */
  output: string;
  /** The headers that it got (`GIT_TRACE_CURL`): git itself does not say for how long a server wants to be left alone. */
  trace?: string;
}

interface Sorted {
  kind: GitErrorKind;
  retryAfterMs?: number;
  advice?: string;
}

/** What a server, or git itself, said of a command that failed: of which kind it is, why, and what to change. */
export function gitError(failure: Failure): GitError {
  const { kind, ...more } = sort(failure);
  return new GitError(kind, `git ${failure.command}: ${whyOf(failure.output)}`, {
    advice: adviceOn(kind, failure.command),
    ...more,
  });
}

/** What became of a ref that was pushed, and why, in parentheses. */
const refusedRef = /^\s*!\s.*?\[(rejected|remote rejected|remote failure)\][^(\n]*\((.*)\)\s*$/m;

const isTheirs = (line: string): boolean => /^(remote:|ERROR:)/.test(line);

function sort({ output, trace = '' }: Failure): Sorted {
  const lines = output.split('\n');
  const theirs = lines.filter(isTheirs).join('\n');
  const own = lines.filter((line) => !isTheirs(line)).join('\n');
  const header: Answer['header'] = (name) =>
    [...trace.matchAll(new RegExp(`<= Recv header: ${name}: *(.*?)\\s*$`, 'gim'))].at(-1)?.[1];

  const [, became, reason = ''] = refusedRef.exec(output) ?? [];
  if (became === 'rejected') return { kind: 'race' };
  if (became === 'remote failure') return { kind: 'unavailable' };
  if (became === 'remote rejected') return sortRejection(reason, theirs, header);

  const status = /(?:returned error: |\bHTTP (?:code = )?)(\d{3})\b/.exec(own)?.[1];
  if (status === undefined) return sortWords(theirs, own);
  const answer = sortAnswer({ status: Number(status), text: theirs, header });
  if (answer.kind === 'missing') return { kind: 'forbidden', advice: hidden };
  return { ...answer, kind: answer.kind === 'invalid' ? 'forbidden' : answer.kind };
}

/** A server's own fault, also where it is told by its hook. */
const faults =
  /internal (server|api|error)|commit_refs|unpacker error|not accessible|unreachable|(temporarily|currently) unavailable|not available at this time|timed? ?out|(down for|under) maintenance|maintenance mode|(try again|retry it) later|no space left|read-only file system/i;

/** Somebody else's push was there first (`cannot lock ref` is what a forge says to the second of two). */
const race =
  /fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|incorrect old value provided|reference already exists/;

/**
 * A branch that needs a folder where another one is; a force that is not allowed: both look like lost races else. A rule
 * that GitHub has a code for (`GH006`), whatever it names: a check may be called `timeout`.
 */
const lasting = /exists; cannot create|denying non-fast-forward|\bGH0\d\d:/;

/** Whatever else a server says of a ref that it does not take is a rule of its own. */
function sortRejection(reason: string, theirs: string, header: Answer['header']): Sorted {
  const text = `${reason}\n${theirs}`;
  if (lasting.test(text)) return { kind: 'forbidden' };
  if (faults.test(text) || reason === 'failure') return { kind: 'unavailable' };
  if (race.test(reason)) return { kind: 'race' };
  const answer = sortAnswer({ status: 403, text, header });
  return { ...answer, kind: answer.kind === 'rate-limited' ? 'rate-limited' : 'forbidden' };
}

const hidden =
  'Check repository.url in gitops.yaml, and that the account of repository.token may see it: what it may not see is not found.';

/** In git's own words; the first that fits. */
const ownWords: [RegExp, Sorted][] = [
  [/Authentication failed|could not read (Username|Password)|terminal prompts disabled/, { kind: 'auth' }],
  // The words of OpenSSL and of GnuTLS.
  [/SSL certificate problem|certificate verification failed/i, { kind: 'certificate' }],
  [
    /repository '.*' not found|does not appear to be a git repository|unable to update url base from redirection/i,
    { kind: 'forbidden', advice: hidden },
  ],
  // Of a fetch beside another one.
  [/cannot lock ref/, { kind: 'race' }],
  [
    /couldn't find remote ref|not our ref|unadvertised object|want \w+ not valid|does not exist|not found/i,
    { kind: 'missing' },
  ],
  [
    /unable to access|Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|RPC failed|early EOF|unexpected disconnect|hung up|Operation timed out/i,
    { kind: 'unavailable' },
  ],
];

const denied =
  /permission (to .*)?denied|access denied|not (allowed|authorized|permitted|granted)|read[- ]only|archived/i;

/** Without a status: git's own words before those of a server that only hung up then. */
function sortWords(theirs: string, own: string): Sorted {
  const [, found] = ownWords.find(([words]) => words.test(own)) ?? [];
  if (found && found.kind !== 'unavailable') return found;
  if (denied.test(theirs)) return { kind: 'forbidden' };
  return found ?? { kind: 'failed' };
}

const advice: Partial<Record<GitErrorKind, string>> = {
  auth: 'Check the token that repository.token in gitops.yaml refers to.',
  missing: 'Check repository.url and repository.branch in gitops.yaml.',
  certificate: caFileAdvice('repository.caFile'),
};

function adviceOn(kind: GitErrorKind, command: string): string | undefined {
  if (kind !== 'forbidden') return advice[kind];
  return command === 'push'
    ? "Let this program's account push to the protected branch: it writes the release folders there."
    : 'Let the account of repository.token in gitops.yaml read the repository.';
}

/** How far a transfer is, where a push goes, and what only comes after a reason. */
const noise =
  /^((Enumerating|Counting|Compressing|Receiving|Unpacking|Writing) objects|Resolving deltas|Total \d|Delta compression|Process(ing|ed) |(To|From) \S+$|Done$|hint:|error: failed to push some refs|[=\-_*—]*$)/;

/** The lines that say why, the other side's as well as git's own, without their beginnings. */
function whyOf(output: string): string {
  const [, , reason = ''] = refusedRef.exec(output) ?? [];
  const said = output
    .split(/[\r\n]+/)
    .filter((line) => !refusedRef.test(line))
    .map((line) => line.replace(/^remote:/, '').trim())
    .filter((line) => !noise.test(line))
    .map((line) => line.replace(/^(error|fatal|ERROR): /, ''));
  const words = shownWords([...said, ...(reason === '' ? [] : [`(${reason})`])].join('\n'));
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
