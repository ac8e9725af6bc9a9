import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlatform, type Platform } from './support/platform.ts';

// A change of overlays alone, on the real stack.

let platform: Platform;
/** What is delivered, and stays. */
let released: string;

beforeAll(async () => {
  platform = await makePlatform(['claims']);
  await Promise.all([platform.worker.start(), platform.server.start()]);
  const commit = await platform.commit('claims');
  const { change } = await platform.gitops.deliver({ service: 'claims', commit });
  await platform.carry(change);
  released = commit;
}, 600_000);

afterAll(() => platform.remove(), 60_000);

const labelled = (environment: string, label: string) => ({
  [`deploy/claims/overlays/${environment}/kustomization.yaml`]: [
    'resources: [release]',
    `namespace: ${platform.name}-${environment}`,
    `labels: [{ pairs: { tier: ${label} } }]`,
    '',
  ].join('\n'),
});

const labelIn = (environment: string): Promise<string> =>
  platform.kubectl([
    ...['get', 'deployment', 'claims', '-n', `${platform.name}-${environment}`],
    ...['-o', 'jsonpath={.metadata.labels.tier}'],
  ]);

test('the board decides on an overlay alone: nothing is built, nothing else is entered, and it runs', async () => {
  const { gitops, gitea } = platform;
  const since = released;
  const commit = await gitea.write(labelled('production', 'gold'));
  const images = await platform.running('claims', 'production');

  const [started] = await gitops.deliverChangedSince({ since });
  expect(started?.change).toBe(`claims/${commit}`);
  const change = `claims/${commit}`;
  const waiting = await platform.sees(change, { environments: { production: { state: 'waiting' } } });
  expect(waiting).toMatchObject({ overlaysOnly: true });
  expect(waiting.steps.map(({ name }) => name)).toEqual(['verify', 'production']);
  const { diff = '' } = waiting.environments['production'] ?? {};
  expect(await gitops.diff(diff)).toMatch(/^\+ +tier: gold$/m);
  expect(await labelIn('production')).toBe('');

  await expect(
    gitops.decide({ change, environment: 'production', verdict: 'approve', by: 'developer' }),
  ).rejects.toThrow();
  await platform.approve(change);
  const delivered = await platform.sees(change, { state: 'succeeded' });
  expect(await labelIn('production')).toBe('gold');
  expect(await platform.running('claims', 'production')).toEqual(images);
  expect(delivered.environments['production']?.imageDigest).toBe(images[0]?.split('@')[1]);
  expect(await platform.pullRequests('claims', 'production')).toHaveLength(1);
  // What was there before knows nothing of it.
  expect(await labelIn('staging')).toBe('');
}, 600_000);

test('where Argo CD syncs by itself it is seen healthy, and code that comes later carries it along', async () => {
  const { gitops, gitea } = platform;
  const commit = await gitea.write(labelled('dev', 'tin'));
  const { change } = await gitops.deliver({ service: 'claims', commit });
  const seen = await platform.sees(change, { state: 'succeeded' });
  expect(seen.steps.map(({ name }) => name)).toEqual(['verify', 'dev']);
  expect(await labelIn('dev')).toBe('tin');

  const code = await gitops.deliver({ service: 'claims', commit: await platform.commit('claims') });
  const later = await platform.sees(code.change, { environments: { dev: { state: 'succeeded' } } });
  expect(later.overlaysOnly).toBeUndefined();
  expect(await labelIn('dev')).toBe('tin');
  await gitops.cancel(code.change);
}, 600_000);

test('one onto code that production does not run yet goes the whole way with it', async () => {
  const { gitops, gitea } = platform;
  await platform.commit('claims');
  const commit = await gitea.write(labelled('production', 'platinum'));
  const { change } = await gitops.deliver({ service: 'claims', commit });
  const delivered = await platform.carry(change);
  expect(delivered.steps.map(({ name }) => name)).toEqual([
    ...['verify', 'test', 'build', 'dev', 'staging', 'production'],
  ]);
  expect(await labelIn('production')).toBe('platinum');
}, 900_000);
