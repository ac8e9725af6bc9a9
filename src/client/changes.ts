import type { Client } from '@temporalio/client';
import { changeSchema, changeName, type Change } from '../model/delivery/change.ts';
import { nameSchema, shaSchema } from '../model/names.ts';
import { attributes, termOf } from '../model/temporal/search-attributes.ts';
import { checked, GitopsError } from './errors.ts';
import type { Documents } from './documents.ts';

/** Seven digits, as `git log --oneline` shows them: with fewer, a name is soon another change's too. */
const prefixPattern = /^[0-9a-f]{7,39}$/;

/**
 * The change that `<service>/<sha or unique prefix>` names. A full hash is taken as it is; a prefix is looked up among
 * the deliveries that Temporal knows, then among the stored ones.
 *
 * @throws GitopsError `usage`: malformed, unknown or ambiguous
 */
export async function resolveChange(
  client: Client,
  platform: string,
  name: string,
  documents: Documents | undefined,
): Promise<Change> {
  const [service, commit, ...rest] = name.split('/');
  if (service === undefined || commit === undefined || rest.length > 0) {
    throw new GitopsError(
      'usage',
      `${JSON.stringify(name)} names no change. Write <service>/<commit>, as in claims/3f2a91c.`,
    );
  }
  if (shaSchema.safeParse(commit).success) return checked(changeSchema, { service, commit });
  checked(nameSchema, service);
  if (!prefixPattern.test(commit)) {
    throw new GitopsError(
      'usage',
      `${JSON.stringify(commit)} is no commit. Write at least 7 of its lower-case hex digits.`,
    );
  }

  const commits = await deliveredCommits(client, platform, service, commit);
  const known = commits.length > 0 ? commits : ((await documents?.commits(service, commit)) ?? []);
  const [only, ...others] = known;
  if (only === undefined) {
    throw new GitopsError(
      'usage',
      `No delivery of ${service} has a commit that begins with ${commit}. See what there is: gitops status --service ${service}`,
    );
  }
  if (others.length > 0) {
    const names = known.map((found) => changeName({ service, commit: found }));
    throw new GitopsError('usage', `${name} is ambiguous: ${names.join(', ')}.`);
  }
  return { service, commit: only };
}

async function deliveredCommits(
  client: Client,
  platform: string,
  service: string,
  prefix: string,
): Promise<string[]> {
  const query = [
    termOf('platform', platform),
    `WorkflowType = "deliverService"`,
    termOf('service', service),
    `GitopsCommit STARTS_WITH "${prefix}"`,
  ].join(' AND ');
  const found = new Set<string>();
  for await (const { typedSearchAttributes } of client.workflow.list({ query, pageSize: 100 })) {
    const commit = typedSearchAttributes.get(attributes.commit);
    if (commit !== undefined) found.add(commit);
    // Who is told of ten does not need the eleventh.
    if (found.size === 10) break;
  }
  return [...found];
}
