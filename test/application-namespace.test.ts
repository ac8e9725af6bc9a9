import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { makePlatform, platformName, type Platform } from './support/platform.ts';

/** The stack's Argo CD looks at Applications in namespaces of such names, too: stack/argocd/. */
const applicationNamespace = `applications-${platformName()}`;

const environments = ['dev', 'production'] as const;

let platform: Platform;

beforeAll(async () => {
  platform = await makePlatform(['claims'], {
    environments: [
      { name: 'dev', applicationNamespace, entersBy: 'push' },
      { name: 'production', applicationNamespace, approval: { quorum: 2 }, sync: 'manual' },
    ],
  });
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, 120_000);

afterAll(() => platform.remove(), 60_000);

const reportSchema = z.object({
  checks: z.array(z.object({ name: z.string(), state: z.string(), detail: z.string() })),
});

test('a change goes through Applications that lie elsewhere than Argo CD, synced by it or by the promotion', async () => {
  const commit = await platform.commit('claims');
  const { change } = await platform.gitops.deliver({ service: 'claims', commit });
  const delivery = await platform.carry(change);

  for (const environment of environments) {
    expect(delivery.environments[environment]).toMatchObject({
      state: 'succeeded',
      health: 'Healthy',
      sync: 'Synced',
      imageDigest: delivery.image?.digest,
    });
    expect(await platform.running('claims', environment)).toEqual([
      expect.stringContaining(`:${commit}@${delivery.image?.digest}`),
    ]);
  }
}, 360_000);

test('what they run is told by status, of a change and of all, and doctor finds that they fit', async () => {
  const [{ change } = { change: '' }] = (await platform.gitops.list()).changes;
  const asPromoted = { health: 'Healthy', sync: 'Synced', revision: expect.stringMatching(/^[0-9a-f]{40}$/) };
  const live = async () => {
    const [detail, listing] = [
      await platform.gitops.status(change, { live: true }),
      await platform.gitops.list({ live: true }),
    ];
    return [
      ...environments.map((environment) => detail.environments[environment]?.live),
      ...listing.environments.map((environment) => environment.live),
    ];
  };
  await expect.poll(live, { timeout: 60_000 }).toEqual(Array.from({ length: 4 }, () => asPromoted));

  const { stdout } = await platform.command('doctor', '--json');
  const { checks } = reportSchema.parse(JSON.parse(stdout));
  const applications = checks.filter(({ name }) => name.startsWith('Application '));
  expect(applications).toEqual(
    environments.map((environment) => ({
      name: `Application claims-${environment}`,
      state: 'ok',
      detail: 'It fits.',
    })),
  );
  expect(checks).toContainEqual(
    expect.objectContaining({ name: 'What runs', state: 'ok', detail: expect.stringContaining('2 times') }),
  );
}, 240_000);
