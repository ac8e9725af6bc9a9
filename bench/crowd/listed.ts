import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { createClient } from '../../src/client.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { startTemporal } from '../../test/support/temporal.ts';
import { interleaved, judged, side, timed, type Report } from '../harness.ts';
import { gitops } from '../worker.ts';
import { configurationOf } from './configuration.ts';
import { commitOf } from './parameters.ts';

const platform = 'crowd';
const environments = ['dev', 'staging', 'production'];
const services = 1000;
/** So many are started at a time. */
const batch = 100;
const bar = { atMost: 1 };

/** How long it takes to show what 3,000 environments run. Nobody works for them: a list asks no workflow. */
export async function listed(rounds: number): Promise<Required<Pick<Report, 'sides' | 'bounds'>>> {
  const temporal = await startTemporal();
  const folder = await mkdtemp(join(tmpdir(), 'bench-listed-'));
  const configuration = join(folder, 'gitops.yaml');
  try {
    await writeFile(configuration, stringify(configurationOf(platform, environments)));
    await startEnvironments(temporal.client);
    const client = createClient(temporal.client, platform);
    const env = { GITOPS_CONFIG: configuration, TEMPORAL_ADDRESS: temporal.address };
    const command = () => execa(gitops, ['status', '--json'], { env, stdin: 'ignore' });
    while (countOf((await command()).stdout) < services * environments.length);
    const samples = await interleaved(rounds, {
      'gitops status': async () => (await timed(command)) / 1000,
      'client.list()': async () => (await timed(() => client.list())) / 1000,
    });
    const label = (name: string) => `${services * environments.length} environments: ${name}`;
    const named = Object.entries(samples).map(([name, each]) => [label(name), each] as const);
    return {
      sides: Object.fromEntries(named.map(([name, each]) => [name, side('s', each)])),
      bounds: Object.fromEntries(named.map(([name, each]) => [name, { unit: 's', ...judged(each, bar) }])),
    };
  } finally {
    await temporal.teardown();
    await rm(folder, { recursive: true, force: true });
  }
}

const countOf = (json: string): number =>
  (JSON.parse(json) as { environments: unknown[] }).environments.length;

async function startEnvironments(client: Client): Promise<void> {
  const places = Array.from({ length: services }, (_, index) => `service-${index + 1}`).flatMap((service) =>
    environments.map((environment) => ({ service, environment })),
  );
  while (places.length > 0) {
    await Promise.all(places.splice(0, batch).map((place) => startEnvironment(client, place)));
  }
}

/** As it stands in visibility after a promotion. */
async function startEnvironment(
  client: Client,
  { service, environment }: { service: string; environment: string },
): Promise<void> {
  const change = { service, commit: commitOf(service, 1) };
  const image = { name: `registry.invalid/${service}`, digest: `sha256:${'0'.repeat(64)}` };
  const at = new Date().toISOString();
  const deployed = { change, position: 1, revision: change.commit, image, at };
  await client.workflow.start('environment', {
    workflowId: environmentId(platform, environment, service),
    taskQueue: taskQueue(platform, 'delivery'),
    args: [{ platform, environment, service }],
    memo: { current: deployed, lastHealthy: deployed },
    typedSearchAttributes: [
      { key: attributes.platform, value: platform },
      { key: attributes.service, value: service },
      { key: attributes.environment, value: environment },
      { key: attributes.commit, value: change.commit },
      { key: attributes.state, value: 'succeeded' },
    ],
  });
}
