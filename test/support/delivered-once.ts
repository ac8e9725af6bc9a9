import { expect, vi } from 'vitest';
import { z } from 'zod';
import { applicationName } from '../../src/config/environments.ts';
import type { Delivery } from '../../src/client.ts';
import type { DeliveryInput } from '../../src/model/delivery/delivery.ts';
import { deliverId, environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { objectKeys } from '../../src/model/object-keys.ts';
import { stages, type Platform } from './platform.ts';

const applicationSchema = z.object({
  status: z.object({
    history: z.array(z.object({ revision: z.string() })),
    operationState: z.object({ phase: z.string(), syncResult: z.object({ revision: z.string() }) }),
  }),
});

/** What environments know is stored beside their answers: waits until that is done, too. */
export async function untilAtRest({ temporal, name }: Platform, service: string): Promise<void> {
  for (const stage of stages) {
    const handle = temporal.workflow.getHandle(environmentId(name, stage, service));
    // Hooks wait for it too, where `expect.poll` would refuse.
    await vi.waitFor(async () => expect((await handle.describe()).raw.pendingActivities ?? []).toEqual([]), {
      timeout: 60_000,
      interval: 200,
    });
  }
}

/** The first change of its service is delivered as if nothing had happened on its way: each effect is there, once. */
export async function expectDeliveredOnce(platform: Platform, change: string): Promise<void> {
  const delivery = await resultOf(platform, change);
  const { service, commit, image, environments } = delivery;
  expect(delivery).toMatchObject({ state: 'succeeded' });
  await untilAtRest(platform, service);
  expect(delivery.steps.map(({ name, state, error }) => ({ name, state, error }))).toEqual(
    ['verify', 'test', 'build', ...stages].map((name) => ({ name, state: 'succeeded', error: undefined })),
  );
  const stored = await platform.objects.get(objectKeys.delivery({ service, commit }));
  expect(JSON.parse(stored?.body ?? '')).toEqual(delivery);
  expect(await platform.gitops.status(change)).toEqual(delivery);

  // One image: recorded, under its only tag, and in every environment.
  const name = `${image?.reference.split('@')[0]}`;
  const record = await platform.objects.get(objectKeys.build({ service, commit }));
  expect(JSON.parse(record?.body ?? '')).toMatchObject({ name, digest: image?.digest });
  expect(await tagsOf(name)).toEqual({ [commit]: image?.digest });
  for (const stage of stages) {
    expect(environments[stage]).toMatchObject({
      health: 'Healthy',
      sync: 'Synced',
      imageDigest: image?.digest,
    });
    expect(await platform.running(service, stage)).toEqual([`${name}:${commit}@${image?.digest}`]);
    expect(await platform.releaseCommits(service, stage)).toHaveLength(1);
  }
  for (const stage of ['staging', 'production']) {
    expect(await platform.pullRequests(service, stage)).toEqual([environments[stage]?.pullRequest?.number]);
  }
  const branches = z
    .array(z.object({ name: z.string() }))
    .parse(await platform.gitea.api('GET', '/branches'));
  expect(branches.map((branch) => branch.name)).toEqual(['main']);

  // What was approved is what production was synced to, in one operation.
  const { decisions = [], manifestsDigest, revision, pullRequest } = environments['production'] ?? {};
  expect(decisions.map((decision) => decision.manifestsDigest)).toEqual([manifestsDigest, manifestsDigest]);
  const merged = await platform.gitea.api('GET', `/pulls/${pullRequest?.number}`);
  expect(merged).toMatchObject({ merged: true, merge_commit_sha: revision });
  const application = applicationName(platform.config, service, 'production');
  const found = await platform.kubectl(['get', 'application', '-n', 'argocd', application, '-o', 'json']);
  const { history, operationState } = applicationSchema.parse(JSON.parse(found)).status;
  expect(history.map((entry) => entry.revision)).toEqual([revision]);
  expect(operationState).toMatchObject({ phase: 'Succeeded', syncResult: { revision } });
}

/** When the delivery has come to its very end. */
export function resultOf({ name, temporal }: Platform, change: string): Promise<Delivery> {
  const [service = '', commit = ''] = change.split('/');
  const workflowId = deliverId(name, { service, commit });
  return temporal.workflow.getHandle<(input: DeliveryInput) => Promise<Delivery>>(workflowId).result();
}

/** Digests by tag, as the registry has them. */
export async function tagsOf(image: string): Promise<Record<string, string | null>> {
  const [host, ...path] = image.split('/');
  const root = `http://${host}/v2/${path.join('/')}`;
  const { tags } = z
    .object({ tags: z.array(z.string()) })
    .parse(await (await fetch(`${root}/tags/list`)).json());
  const digests = tags.map(async (tag) => {
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const { headers: answered } = await fetch(`${root}/manifests/${tag}`, { method: 'HEAD', headers });
    return [tag, answered.get('docker-content-digest')] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}
