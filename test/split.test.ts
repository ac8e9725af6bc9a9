import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseReleaseKustomization } from '../src/model/promotion/release.ts';
import type { GiteaRepository } from './support/gitea.ts';
import type { Platform } from './support/platform.ts';
import { makeSplit } from './support/split.ts';

/** An image is tested, built and rolled out, on two busy cores. */
const patience = 5 * 60_000;
let platform: Platform;
let hours: GiteaRepository;

beforeAll(async () => {
  ({ platform, hours } = await makeSplit(patience));
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, patience);

afterAll(() => platform.remove(), patience);

async function textAt(path: string): Promise<string> {
  const { content } = (await platform.gitea.api('GET', `/contents/${path}?ref=main`)) as { content: string };
  return Buffer.from(content, 'base64').toString();
}

const release = 'hours/overlays/production/release';

test(
  'a commit of the source goes to production with the manifests of the other repository, and who wrote either decides on neither',
  async () => {
    const commit = await hours.write({
      'src/hours.mjs':
        'export const isOpen = (at) => at.getUTCDay() <= 4 && at.getUTCHours() >= 8 && at.getUTCHours() < 17;\n',
    });
    const base = await textAt('hours/base/deployment.yaml');
    const manifests = await platform.gitea.write({
      'hours/base/deployment.yaml': base.replace('periodSeconds: 2', 'periodSeconds: 1'),
    });
    const { change } = await platform.gitops.deliver({ service: 'hours', commit });

    await platform.sees(change, { environments: { production: { state: 'waiting' } } });
    for (const by of ['developer', 'operator']) {
      await expect(
        platform.gitops.decide({ change, environment: 'production', verdict: 'approve', by }),
      ).rejects.toThrow(`${by} wrote a commit of this change`);
    }
    const { image } = await platform.carry(change);

    const written = parseReleaseKustomization(await textAt(`${release}/kustomization.yaml`));
    expect(written).toEqual({
      change: { service: 'hours', commit },
      source: { manifests },
      image: { name: `localhost:5000/${platform.name}/hours`, digest: image?.digest },
    });
    expect(await textAt(`${release}/base/deployment.yaml`)).toContain('periodSeconds: 1');
    for (const environment of ['dev', 'production']) {
      const digests = (await platform.running('hours', environment)).map((one) => one.split('@')[1]);
      expect(new Set(digests)).toEqual(new Set([image?.digest]));
    }

    const doctor = await platform.command('doctor', '--json');
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'source of hours', state: 'ok' }),
      ]) as object,
    });

    // New manifests are no commit of the source: its newest is delivered once more, with them.
    const since = manifests;
    const newer = await platform.gitea.write({
      'hours/base/deployment.yaml': base.replace('periodSeconds: 2', 'periodSeconds: 3'),
    });
    expect((await platform.gitops.deliverChangedSince({ since })).map((one) => one.change)).toEqual([change]);
    await platform.carry(change);
    expect(parseReleaseKustomization(await textAt(`${release}/kustomization.yaml`))).toMatchObject({
      change: { service: 'hours', commit },
      source: { manifests: newer },
    });
  },
  4 * patience,
);
