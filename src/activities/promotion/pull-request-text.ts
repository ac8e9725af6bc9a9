import { changeName, type Release } from '../../model/delivery/change.ts';
import { imageReference } from '../../model/delivery/delivery.ts';
import { codeBlock, inlineCode } from '../../model/text/markdown.ts';
import type { Approval, Deployed } from '../../model/promotion/promotion.ts';
import type { Commit } from '../../systems/git/index.ts';
import type { Rejected } from './rejected-before.ts';

/** A forge takes about 65,000 characters; beyond this nobody reads on. */
const longestDiff = 40_000;
const mostCommits = 50;

/** What a pull request tells the people who are asked. */
export interface PullRequestFacts {
  environment: string;
  release: Release;
  /** Promoted last. */
  current?: Deployed;
  /** What Argo CD runs: something else where the cluster was recreated, or synced by hand. */
  running?: Deployed;
  approval: Approval;
  /** The service's commits since the older of the two, or all of them, newest first. */
  commits: Commit[];
  /** Those of them that somebody rejected for this environment before. */
  rejected: Rejected[];
  /** People whose commits these are. */
  authors: string[];
  /** `text` is the whole rendered diff; `key` says where it lies in the object store. */
  diff?: { key: string; summary: string; text: string };
}

/** Holds nothing that a person wrote: forges act on words like `closes #1` in a title. */
export const pullRequestTitle = (environment: string, { change: { service, commit } }: Release): string =>
  `Release ${service} ${commit.slice(0, 12)} to ${environment}`;

/** Markdown. What other people wrote (subjects, names, the diff) stands in it as code, so none of it takes effect. */
export function pullRequestBody(facts: PullRequestFacts): string {
  const { release, environment, diff } = facts;
  const { service } = release.change;
  const { manifests } = release.source;
  const image = release.image ? inlineCode(imageReference(release.image)) : 'none';
  return [
    `Brings ${inlineCode(changeName(release.change))} to **${environment}**, ${whatIsThere(facts)}.`,
    [
      `- change: ${inlineCode(release.source.subject)}`,
      ...(manifests === undefined ? [] : [`- manifests: as of ${inlineCode(manifests)}`]),
      `- image: ${image}`,
    ].join('\n'),
    howToApprove(facts),
    `### Commits of ${service}`,
    changelog(facts),
    ...(diff ? ['### What would change', diff.summary && inlineCode(diff.summary), diffBlock(diff)] : []),
    `This pull request belongs to the delivery: it is merged by it, and an edit of its branch, another base, or a merge by hand before its review ends it.`,
  ].join('\n\n');
}

function whatIsThere({ current, running }: PullRequestFacts): string {
  const promoted = current && inlineCode(current.change.commit);
  const runs = running && inlineCode(running.change.commit);
  if (promoted !== undefined && runs !== undefined && promoted !== runs) {
    return `where ${promoted} was promoted last but Argo CD runs ${runs}`;
  }
  const known = runs ?? promoted;
  return known === undefined ? 'where nothing is known to run' : `which runs ${known} now`;
}

function howToApprove({ environment, approval, release, authors }: PullRequestFacts): string {
  if (approval.by === 'none') return 'It is merged without anyone’s approval.';
  if (approval.by === 'review') {
    return 'It waits for an approving review of this head, by someone whose review the branch’s rules count.';
  }
  const { author: excluded = [], other: deciders = [] } = Object.groupBy(approval.deciders, (person) =>
    authors.includes(person) ? 'author' : 'other',
  );
  const command = (verb: string) =>
    inlineCode(`gitops ${verb} ${changeName(release.change)} --environment ${environment}`);
  return [
    `It waits for ${approval.quorum} of ${deciders.map(inlineCode).join(', ') || 'nobody who may decide'}` +
      (excluded.length > 0 ? ` (its authors may not: ${excluded.map(inlineCode).join(', ')}).` : '.'),
    `Approve: ${command('approve')}  \nReject: ${command('reject')}`,
  ].join('\n\n');
}

function changelog({ commits, rejected }: PullRequestFacts): string {
  const reasons = new Map(rejected.map(({ commit, reason }) => [commit, reason]));
  if (commits.length === 0) return 'None since what runs.';
  const lines = commits
    .slice(0, mostCommits)
    .map(
      ({ sha, subject, authors }) =>
        `- ${sha.slice(0, 12)} ${inlineCode(subject)} (${authors.map(name).join(', ')})${rejectedFor(reasons.get(sha))}`,
    );
  const rest = commits.length - mostCommits;
  return [...lines, ...(rest > 0 ? [`- and ${rest} older ones`] : [])].join('\n');
}

const rejectedFor = (reason: string | undefined): string =>
  reason === undefined ? '' : ` **was rejected here before**: ${inlineCode(reason)}`;

const name = (author: string): string => inlineCode(author.replace(/\s*<.*$/, ''));

function diffBlock({ key, text }: NonNullable<PullRequestFacts['diff']>): string {
  const whole = `The whole diff: ${inlineCode(key)} in the object store.`;
  const told = text.length > longestDiff ? `Cut off here. ${whole}` : whole;
  return `${codeBlock(text.slice(0, longestDiff), 'diff')}\n\n${told}`;
}
