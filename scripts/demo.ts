// make demo: a commit of the example goes to production, with the reviews and decisions that it needs on its way.
//
// Whoever acts here acts as on a real platform: reviews go to the forge with the reviewer's token, decisions to the
// environment. Everything is found done that an earlier demo has done, so it may be run again, and after a crash.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect, GitopsError, type Delivery, type GitopsClient } from '../src/client.ts';
import { deliveryLines } from '../src/cli/delivery-lines.ts';
import { sealCredential } from './demo/credential.ts';
import {
  developersCommit,
  firstCommit,
  staleClaimIsAccepted,
  staleClaimIsStillAccepted,
} from './demo/platform.ts';
import { actAsPeople } from './demo/people.ts';
import { kubectl } from './stack/control-plane.ts';
import { checkout, example, ports } from './stack/paths.ts';
import { repositoryPage } from './stack/seed.ts';
import { say } from './stack/progress.ts';
import { messageOf } from './stack/until.ts';
import { loadConfig } from '../src/config/load.ts';

const services = ['claims-scrubbing', 'fhir-gateway', 'api', 'web'];
const { platform } = loadConfig(join(example, 'gitops.yaml'));

try {
  await demo();
} catch (error) {
  process.stderr.write(`make demo: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  const gitops = await connect({ platform });
  try {
    await refuseEmptyCluster();
    say('the platform as it stands is delivered first: its Applications, then its four services');
    const first = await firstCommit();
    await deliverQuietly(gitops, ['platform'], first);
    await sealCredential();
    await deliverQuietly(gitops, services, first);

    const before = await staleClaimIsAccepted();
    const commit = await developersCommit(
      async (sha) => (await lastState(gitops, `claims-scrubbing/${sha}`)) === 'succeeded',
    );
    const change = `claims-scrubbing/${commit}`;
    await deliverVisibly(gitops, change);
    tell(before, await staleClaimIsStillAccepted(), await gitops.status(change));
  } finally {
    await gitops.close();
  }
}

/** `make up` gives a cluster its roots, unless it was lost and there is a backup of it. */
async function refuseEmptyCluster(): Promise<void> {
  if ((await kubectl(['get', 'applications', '-n', 'argocd', '-o=name'])) !== '') return;
  throw new Error(
    'the cluster was lost, and there is a backup of it. Bring it back first: gitops recreate-cluster --backup latest --wait',
  );
}

/** A line for each change of state. */
async function deliverQuietly(gitops: GitopsClient, names: string[], commit: string): Promise<void> {
  await Promise.all(
    names.map(async (service) => {
      if (['succeeded', 'superseded'].includes(await lastState(gitops, `${service}/${commit}`))) return;
      const { change } = await gitops.deliver({ service, commit });
      const people = actAsPeople(gitops, change);
      let seen: Delivery | undefined;
      const onChange = (delivery: Delivery): void => {
        for (const line of deliveryLines(seen, delivery, new Date())) process.stderr.write(`${line}\n`);
        seen = structuredClone(delivery);
      };
      try {
        const { state } = await gitops.wait(change, { onChange });
        // Of a service that was delivered by hand, a newer change may be there.
        if (state !== 'succeeded' && state !== 'superseded') throw new Error(`${change} ${state}`);
      } finally {
        await people.end();
      }
    }),
  );
}

/** How a change's latest delivery stands; `none` where there was none. */
async function lastState(gitops: GitopsClient, change: string): Promise<string> {
  try {
    return (await gitops.status(change)).state;
  } catch (error) {
    if (error instanceof GitopsError && error.kind === 'usage') return 'none';
    throw error;
  }
}

/** What a person would type, in the terminal that they would see. */
async function deliverVisibly(gitops: GitopsClient, change: string): Promise<void> {
  const [service = '', commit = ''] = change.split('/');
  const gitopsCommand = join(checkout, 'bin/gitops.js');
  const args = ['deliver', '--service', service, '--commit', commit, '--wait'];
  say(`gitops ${args.join(' ')}`);
  const child = spawn(process.execPath, [gitopsCommand, ...args], { stdio: 'inherit' });
  const people = actAsPeople(gitops, change);
  const [code] = (await once(child, 'exit')) as [number | null];
  await people.end();
  if (code !== 0) throw new Error(`the delivery of ${change} ended with exit code ${code}`);
}

function tell(before: boolean, after: boolean, { image }: Delivery): void {
  const claim = (accepted: boolean): string => (accepted ? 'accepted' : 'refused');
  process.stderr.write(`
In production runs ${image?.reference ?? 'the release'}.
A claim whose eligibility was confirmed two months before the service was ${claim(before)} there; now it is ${claim(after)}.

  Temporal      http://127.0.0.1:${ports.temporalUi}/namespaces/default/workflows
  Forge         ${repositoryPage}/pulls?state=closed
  Web page      http://10.87.0.1:30304 (production)
  By hand       source .stack/env && gitops status
`);
}
