import { setTimeout as delay } from 'node:timers/promises';
import { ForgeError, type Forge, type PullRequest } from './index.ts';

export interface WantedPullRequest {
  /** A branch that one promotion has to itself. */
  branch: string;
  /** Its tip, as pushed. */
  head: string;
  base: string;
  title: string;
  body: string;
  label?: string;
  /** Whether the base holds all of it already: then it is only looked for. */
  released: boolean;
  /** Asked before one is opened. */
  stillWanted: () => Promise<boolean>;
}

/** A forge has seen a push 0.3 s later, under load in seconds. */
const headWithinMs = 20_000;

/**
 * Finds or opens the one pull request of a branch, and brings its text and label up to date. Creation is not atomic on
 * every forge (four at once made four on Gitea): what another process opened at the same time is closed, and the lowest
 * number stays.
 *
 * @returns undefined when it is not wanted any more; a merged one where its work is done
 * @throws ForgeError `missing`: the base holds it already, and no pull request brought it
 */
export async function ensurePullRequest(
  forge: Forge,
  wanted: WantedPullRequest,
  withinMs = headWithinMs,
): Promise<PullRequest | undefined> {
  const all = await forge.pullRequestsFrom(wanted.branch);
  let open = all.filter(isOpen);
  if (open.length === 0) {
    const ended = all.findLast((one) => isMerged(one, wanted)) ?? (await forge.mergedAs(wanted.head));
    if (ended) return ended;
    if (wanted.released) {
      throw new ForgeError('missing', `${wanted.base} holds ${wanted.title} already, by no pull request.`);
    }
    if (!(await wanted.stillWanted())) return undefined;
    await create(forge, wanted, withinMs);
    open = (await forge.pullRequestsFrom(wanted.branch)).filter(isOpen);
  }
  const number = await keepFirst(forge, wanted.branch, open);
  const found = await awaitHead(forge, number, wanted.head, withinMs);
  await updateText(forge, found, wanted);
  return found;
}

const isOpen = ({ state }: PullRequest): boolean => state === 'open';

/** Whether it brought exactly what is wanted. One that was closed belongs to an earlier promotion, and does not count. */
const isMerged = ({ head, state, revision }: PullRequest, wanted: WantedPullRequest): boolean =>
  state === 'merged' && [head.sha, revision].includes(wanted.head);

async function create(
  forge: Forge,
  { branch, base, title, body }: WantedPullRequest,
  withinMs: number,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      await forge.createPullRequest({ head: branch, base, title, body });
      return;
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      if (error.kind === 'exists') return;
      // The branch was pushed a moment ago, and the forge may not have heard of it yet. Later, it hides the repository.
      if (error.kind !== 'missing' || Date.now() > deadline) throw error;
      await delay(1000);
    }
  }
}

async function keepFirst(
  forge: Forge,
  branch: string,
  [first, ...duplicates]: PullRequest[],
): Promise<number> {
  if (!first) throw new ForgeError('unavailable', `The pull request of ${branch} was closed at once.`);
  for (const { number } of duplicates) {
    await forge.updatePullRequest(number, { state: 'closed', body: `The same as #${first.number}.` });
  }
  return first.number;
}

/** Waits until the forge shows the head that was pushed: until then it would show reviews of the one before. */
async function awaitHead(forge: Forge, number: number, head: string, withinMs: number): Promise<PullRequest> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await forge.pullRequest(number);
    if (found.head.sha === head || found.state !== 'open') return found;
    if (Date.now() > deadline) {
      throw new ForgeError('unavailable', `${found.url} shows ${found.head.sha}, but ${head} was pushed.`);
    }
    await delay(200);
  }
}

async function updateText(forge: Forge, found: PullRequest, { title, body, label }: WantedPullRequest) {
  if (found.state !== 'open') return;
  if (found.title !== title || found.body.trim() !== body.trim()) {
    await forge.updatePullRequest(found.number, { title, body });
  }
  if (label !== undefined && !found.labels.includes(label)) await forge.addLabel(found.number, label);
}
