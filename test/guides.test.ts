import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Delivery } from '../src/client.ts';
import { blocksOf, openPageShell, type PageShell } from './support/page-shell.ts';
import { freePort } from './support/ports.ts';

/** Each begins where the one before ends, in the same shell, as they say. */
let shell: PageShell;
let rename: (text: string) => string;
/** Images are tested and built, environments rolled out, on two busy cores. */
const patience = 12 * 60_000;

/** A person may be trying the same pages on the same stack. */
async function underAnotherName(): Promise<(text: string) => string> {
  const id = randomUUID().slice(0, 6);
  const port = await freePort();
  return (text) =>
    text
      .replaceAll('bakery', `bakery-${id}`)
      .replaceAll('orders', `orders-${id}`)
      .replaceAll('8081', String(port));
}

/** What the guides add to the platform. */
const takeGuidesAway = `
kubectl delete --namespace argocd --ignore-not-found application bakery-staging orders-staging preorders-dev \
  preorders-staging preorders-production
kubectl delete namespace --ignore-not-found bakery-staging
`;

const follow = async (page: string): Promise<string> =>
  shell.run(blocksOf(page, rename).join('\n'), patience);

/** What one more command says in that shell. */
const answer = async (command: string): Promise<string> => (await shell.run(command, 60_000)).trim();

/** @param change as the shell has it */
const statusOf = async (change: string) =>
  JSON.parse(await answer(`gitops status "${change}" --json`)) as Pick<Delivery, 'state' | 'environments'>;

beforeAll(async () => {
  rename = await underAnotherName();
  // The last block takes everything away again.
  const takeAway = blocksOf('getting-started.md', rename).at(-1) ?? '';
  shell = await openPageShell(`{\n${takeAway}${rename(takeGuidesAway)}} >/dev/null 2>&1`);
});

afterAll(() => shell.close(), patience);

test(
  'who follows docs/getting-started.md word by word delivers a service to production',
  async () => {
    const blocks = blocksOf('getting-started.md', rename).slice(0, -1);
    const said = await shell.run(blocks.join('\n'), patience);
    expect(said).toContain('{"total":180}');
    expect(said).toMatch(/ production succeeded in /);
  },
  patience + 60_000,
);

test(
  'who follows docs/guides/add-an-environment.md has staging before production, and what was on its way goes its own',
  async () => {
    const said = await follow('guides/add-an-environment.md');
    expect(said).toContain('{"total":195}');
    const before = await statusOf('$onItsWay');
    expect(before).toMatchObject({ state: 'succeeded' });
    expect(Object.keys(before.environments)).toEqual(['dev', 'production']);
    const after = await statusOf(rename('orders/$commit'));
    expect(after.environments).toMatchObject({ staging: { state: 'succeeded' } });
    expect(Object.keys(after.environments)).toEqual(['dev', 'staging', 'production']);
  },
  patience + 120_000,
);

test(
  'who follows docs/guides/move-a-service.md has it elsewhere, what was on its way arrives, and under a new name it is another',
  async () => {
    const said = await follow('guides/move-a-service.md');
    expect(said).toContain(`pre${rename('orders')}`);
    expect(await statusOf('$onItsWay')).toMatchObject({ state: 'succeeded' });
  },
  patience + 120_000,
);

test(
  'who follows docs/guides/remove-a-service.md has nothing left of it, in the cluster, in the list and in memory',
  async () => {
    const said = await follow('guides/remove-a-service.md');
    for (const environment of ['dev', 'staging', 'production']) {
      expect(said).toContain(`Nothing of it is left in ${environment}.`);
    }
    const left = JSON.parse(await answer('gitops status --json --all')) as {
      environments: { service: string }[];
    };
    expect(new Set(left.environments.map(({ service }) => service))).toEqual(
      new Set([`pre${rename('orders')}`]),
    );
    expect(await statusOf(rename('orders/$commit'))).toMatchObject({
      state: 'succeeded',
      environments: { production: { decisions: [{ by: 'board-1', verdict: 'approve' }] } },
    });
    expect(await answer(rename('kubectl get applications -n argocd -o name'))).not.toContain(
      `/${rename('orders')}-`,
    );
    expect(await answer(rename('git ls-remote origin "refs/heads/gitops/*/orders/*"'))).toBe('');
  },
  patience + 120_000,
);
