import { expect, test } from 'vitest';
import { MockActivityEnvironment } from '@temporalio/testing';
import { configuration } from '../../test/support/configuration.ts';
import { openRun } from '../../test/support/open-run.ts';
import { createRecoveryActivities } from './backup/index.ts';
import { createBackupActivities } from './backup/store.ts';
import type { Served } from './contract.ts';
import { createPromotionActivities } from './promotion/index.ts';
import { createObserveActivities } from './sync/observe.ts';
import { createSyncActivities } from './sync/start-sync.ts';
import type { Release } from '../model/delivery/change.ts';
import type { Systems } from './systems.ts';

/** Everything is there, and every run is open; only the configuration has changed since. */
const repository = {
  tip: async () => 'b'.repeat(40),
  files: async () => ['services/claims/Dockerfile'],
  object: async () => undefined,
  isAncestor: async () => true,
  draftRelease: async () => 'c'.repeat(40),
  log: async () => [],
};
const systems = {
  config: configuration({
    backup: {
      cluster: 'blue',
      bucket: 'backups',
      recipients: ['env:RECIPIENT'],
      recovery: { identity: 'env:IDENTITY' },
    },
  }),
  repository,
  sourceOf: () => repository,
  forge: {
    pullRequest: async () => ({ state: 'open', base: 'main', head: { sha: 'd'.repeat(40) } }),
    reviews: async () => [],
  },
  temporal: openRun,
} as unknown as Systems;

const change = { service: 'claims', commit: 'a'.repeat(40) };
const release: Release = {
  change,
  source: {
    ...{ position: 1, subject: '', authors: [], committedAt: '2026-01-01T00:00:00Z', paths: [] },
    base: 'e'.repeat(40),
  },
};
const asker = { workflowId: 'w', runId: 'r' };
const pullRequest = { number: 1, url: '', head: 'd'.repeat(40) };
const place = { environment: 'gone', service: 'claims' };
const seen = { tip: 'b'.repeat(40) };
const approval = { by: 'none' } as const;

const run = (work: () => Promise<unknown>) =>
  new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'r' } }).run(work);

type Promotions = Served['production'] & Served['delivery'];
test.each<[string, (activities: Promotions) => Promise<unknown>]>([
  ['previewRelease', (to) => to.previewRelease({ ...place, release, asked: approval })],
  ['renderRelease', (to) => to.renderRelease({ ...place, release, revision: 'b'.repeat(40) })],
  ['previewOverlay', (to) => to.previewOverlay({ ...place, release, onto: change, asked: approval })],
  ['writeRelease', (to) => to.writeRelease({ ...place, release, seen, asker })],
  ['openPullRequest', (to) => to.openPullRequest({ ...place, release, seen, asked: approval, asker })],
  ['mergePullRequest', (to) => to.mergePullRequest({ ...place, release, pullRequest, approval, asker })],
  ['readSettings', (to) => to.readSettings(place)],
  [
    'startSync',
    (to) => to.startSync({ ...place, release, revision: 'b'.repeat(40), operationId: 'o', asker }),
  ],
])('%s refuses an environment that left the configuration, and names those there are', async (_, call) => {
  const activities = {
    ...createPromotionActivities(systems, '/nonexistent'),
    ...createSyncActivities(systems, '/nonexistent'),
  } as Promotions;
  await expect(run(() => call(activities))).rejects.toMatchObject({
    type: 'Refused',
    nonRetryable: true,
    message: expect.stringContaining('There is no environment gone. There are: dev, production.') as string,
  });
});

test('what runs in environments that left the configuration is not told, and that of the others is', async () => {
  const activities = createObserveActivities({
    ...systems,
    argocd: {
      async *changes() {
        yield {};
        throw new Error('The watch ended.');
      },
    } as Partial<Systems['argocd']> as Systems['argocd'],
  });
  const found = await run(() => activities.observe({ places: [place, { ...place, environment: 'dev' }] }));
  expect(found).toMatchObject([{ environment: 'dev' }]);
});

test.each<[string, () => Promise<unknown>]>([
  [
    'storeBackup',
    () => createBackupActivities(systems, '/nonexistent').storeBackup({ cluster: 'red', at: '' }),
  ],
  ['verifyBackup', () => recovery().verifyBackup({ cluster: 'red' })],
  ['compareBackups', () => recovery().compareBackups({ cluster: 'red', from: 'a', to: 'b' })],
])('%s refuses another cluster than the configured one', async (_, call) => {
  await expect(run(call)).rejects.toMatchObject({
    type: 'Refused',
    message: 'gitops.yaml here backs up blue, not red. See backup.cluster.',
  });
});

const recovery = () =>
  createRecoveryActivities(
    { ...systems, recovery: { store: {} as never, identities: () => [] } },
    '/nonexistent',
  );
