import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { configMap, makeBed, soon, type Bed, type Written } from '../test/support/argocd.ts';
import { comparator, kubeconfigOfArgoCd } from './comparator.ts';
import {
  above,
  interleaved,
  judged,
  over,
  rangeOf,
  side,
  timed,
  type Parameters,
  type Report,
} from './harness.ts';

/** Waits until Argo CD has deployed what was written. */
type Way = (written: Written) => Promise<unknown>;

/**
 * From the moment at which the forge has taken a release until it is synced and healthy in dev, where Argo CD syncs by
 * itself. What is deployed is a ConfigMap: a pod would take the same seconds whoever waits for it.
 */
export async function run({ rounds = 9 }: Parameters = {}): Promise<Report> {
  const bed = await makeBed(['web']);
  const folder = await mkdtemp(join(tmpdir(), 'bench-commit-to-dev-'));
  try {
    const env = { KUBECONFIG: await kubeconfigOfArgoCd(folder) };
    await bed.service('web', 'dev', { 'version.json': configMap('web', { version: '0' }) });
    const application = await bed.application('web', 'dev');
    const deployed = deployer(bed);
    const sides = {
      awaitHealthy: deployed(({ release, revision, tree }) =>
        bed.wait({ environment: 'dev', service: 'web', release, revision, tree, deadline: soon(120_000) }),
      ),
      'argocd app sync and wait': deployed(() =>
        execa(comparator('argocd-sync-and-wait.sh'), [application], { env }),
      ),
      'operation and watch': deployed(({ revision }) =>
        execa(comparator('operation-and-watch.sh'), [application, revision], { env }),
      ),
    };
    await interleaved(1, sides); // The first sync of an Application finds nothing cached.
    const samples = await interleaved(rounds, sides);
    const [ours, argocd, bare] = [
      samples.awaitHealthy,
      samples['argocd app sync and wait'],
      samples['operation and watch'],
    ];
    return {
      sides: Object.fromEntries(Object.entries(samples).map(([name, each]) => [name, side('ms', each)])),
      ratios: {
        'argocd app sync and wait / awaitHealthy': judged(over(argocd, ours), { atLeast: 1.5 }),
        'operation and watch / awaitHealthy': rangeOf(over(bare, ours)),
      },
      bounds: {
        'awaitHealthy above operation and watch': {
          unit: 'ms',
          ...judged(above(ours, bare), { atMost: 150 }),
        },
      },
    };
  } finally {
    await bed.remove();
    await rm(folder, { recursive: true });
  }
}

/** Releases another version each time, and looks whether it really is there when a way says so. */
function deployer(bed: Bed) {
  let version = 0;
  return (way: Way) => async (): Promise<number> => {
    version += 1;
    await bed.commit(
      { 'deploy/web/base/version.json': configMap('web', { version: `${version}` }) },
      'update',
    );
    const written = await bed.promote('web', 'dev');
    const ms = await timed(() => way(written));
    const found = await bed.kubectl([
      'get',
      'configmap',
      'web',
      '-n',
      bed.namespace('dev'),
      '-o',
      'jsonpath={.data.version}',
    ]);
    if (found !== `${version}`) throw new Error(`Version ${found} is there instead of ${version}.`);
    return ms;
  };
}
