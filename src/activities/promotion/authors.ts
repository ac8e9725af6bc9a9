import type { Config } from '../../config/schema.ts';
import type { Release } from '../../model/delivery/change.ts';
import type { Approval } from '../../model/promotion/promotion.ts';
import type { Commit } from '../../systems/git/index.ts';
import { refused } from '../failures.ts';

/** What the repository lists at most: beyond it authors would go unnoticed. */
const mostCommits = 200;

/** Addresses that forges make up for who hides the real one: `12+login@users.noreply.github.com`. */
const hidden = /^(?:\d+\+)?([^@+]+)@(?:[\w.-]+\.)?noreply\./i;

/**
 * Who wrote some commits: keys of `people`, else the addresses.
 *
 * @param authors `Name <e-mail>`, as commits have them
 */
export function peopleOf({ people }: Pick<Config, 'people'>, authors: string[]): string[] {
  const byEmail = new Map<string, string>();
  const byLogin = new Map<string, string>();
  for (const [name, { emails, forge }] of Object.entries(people)) {
    for (const email of emails) byEmail.set(email.toLowerCase(), name);
    if (forge !== undefined) byLogin.set(forge.toLowerCase(), name);
  }
  const found = authors.map((author) => {
    const email = (/<([^<>]*)>\s*$/.exec(author)?.[1] ?? author).trim().toLowerCase();
    const [, login = ''] = hidden.exec(email) ?? [];
    return byEmail.get(email) ?? byLogin.get(login) ?? email;
  });
  return [...new Set(found)];
}

/**
 * Whose commits a promotion carries: none of them may approve it.
 *
 * @throws Refused: they cannot be told, or too few others may decide
 */
export function authorsOf(
  config: Pick<Config, 'people'>,
  commits: Commit[],
  { source }: Release,
  approval: Approval,
): string[] {
  if (approval.by === 'decisions' && commits.length >= mostCommits) {
    throw refused(
      `More than ${mostCommits} commits since what runs: whose they are cannot be told, so nobody could approve. ` +
        'Deliver an earlier commit first.',
    );
  }
  const authors = peopleOf(config, [...commits.flatMap((commit) => commit.authors), ...source.authors]);
  if (approval.by !== 'decisions') return authors;
  const deciders = approval.deciders.filter((person) => !authors.includes(person));
  if (deciders.length >= approval.quorum) return authors;
  throw refused(
    `${approval.quorum} must approve, but of those who decide only ${deciders.join(', ') || 'nobody'} wrote none of it. ` +
      'Name more people in gitops.yaml.',
  );
}
