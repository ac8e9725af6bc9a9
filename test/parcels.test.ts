import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeParcels } from './support/parcels.ts';
import type { Platform } from './support/platform.ts';

/** Three images are tested and built, and four environments rolled out, on two busy cores. */
const patience = 5 * 60_000;
let platform: Platform;

beforeAll(async () => {
  platform = await makeParcels(patience);
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, patience);

afterAll(() => platform.remove(), patience);

const inCluster = async (environment: string, what: string): Promise<unknown> =>
  JSON.parse(
    await platform.kubectl(['get', what, '-n', `${platform.name}-${environment}`, '-o', 'json']),
  ) as unknown;

const servicesOf = (changes: { change: string }[]) =>
  new Set(changes.map(({ change }) => change.split('/')[0]));

test(
  'a platform of another layout goes through its four environments, and a library brings those that are built from it',
  async () => {
    const first = await platform.gitops.deliverAll();
    expect(servicesOf(first)).toEqual(new Set(['intake', 'ledger', 'overdue']));
    await Promise.all(first.map(({ change }) => platform.carry(change)));

    // There are no metrics here, so the autoscaler keeps its least.
    await vi.waitFor(
      async () =>
        expect(await inCluster('production', 'deployment/intake')).toMatchObject({
          status: { readyReplicas: 2 },
        }),
      { timeout: patience, interval: 1000 },
    );
    expect(await inCluster('dev', 'cronjob/overdue')).toMatchObject({ spec: { suspend: true } });
    expect(await inCluster('production', 'job/ledger-smoke')).toMatchObject({ status: { succeeded: 1 } });
    expect(await inCluster('production', 'statefulset/ledger')).toMatchObject({
      spec: { template: { spec: { securityContext: { runAsNonRoot: true } } } },
    });

    const since = await platform.gitea.commit('main', 'CHANGES.md', 'Nothing yet.\n');
    await platform.gitea.write({
      'libs/barcode/README.md': '# Barcodes\n',
      'libs/barcode/LICENSE': 'For everybody.\n',
      'ledger/README.md': '# The ledger\n',
    });
    const second = await platform.gitops.deliverChangedSince({ since });
    expect(servicesOf(second)).toEqual(new Set(['intake', 'overdue']));
    const delivered = await Promise.all(second.map(({ change }) => platform.carry(change)));

    // By then all services are in test, so the end-to-end test of each has sent a parcel through.
    const { INTAKE_URL } = platform.config.environments[1]?.endToEnd?.env ?? {};
    const answer = await fetch(`${INTAKE_URL}/parcels/RR473124829SA`);
    expect(await answer.json()).toMatchObject({ events: [{ event: 'accepted' }, { event: 'accepted' }] });

    const { digest = '' } = delivered.find(({ service }) => service === 'intake')?.image ?? {};
    // Pods of the version before are still there until they have ended.
    await vi.waitFor(
      async () => {
        const digests = (await platform.running('intake', 'production')).map((image) => image.split('@')[1]);
        expect(new Set(digests)).toEqual(new Set([digest]));
      },
      { timeout: patience, interval: 1000 },
    );
  },
  3 * patience,
);
