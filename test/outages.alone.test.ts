import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GitopsError } from '../src/client.ts';
import { applicationName } from '../src/config/environments.ts';
import { pollId } from '../src/model/temporal/workflow-ids.ts';
import { noticedSoon } from './support/configuration.ts';
import { expectDeliveredOnce } from './support/delivered-once.ts';
import { makePlatform, type Platform } from './support/platform.ts';

/** kill -9 of what a delivery leans on, in the middle of what it does there. */
const checkout = fileURLToPath(new URL('..', import.meta.url));
/** A system is back within a minute, and what waited for it looks again within half of one. */
const patience = 240_000;

let platform: Platform;
let change: string;

beforeEach(async () => {
  platform = await makePlatform(['claims'], noticedSoon, patience);
  await Promise.all([platform.worker.start(), platform.server.start()]);
  expect((await platform.command('setup')).exitCode).toBe(0);
}, patience);

afterEach(async () => {
  await schedule().delete();
  await platform.remove();
});

/** The regular look at the repository, which tells what nobody heard of. */
const schedule = () => platform.temporal.schedule.getHandle(pollId(platform.name));

const kill = (name: string) =>
  process.kill(Number(readFileSync(`${checkout}.stack/run/${name}.pid`, 'utf8')), 'SIGKILL');
const repair = () => execa('make', ['systems'], { cwd: checkout, timeout: patience });

async function deliver(): Promise<void> {
  const commit = await platform.commit('claims');
  ({ change } = await platform.gitops.deliver({ service: 'claims', commit }));
}

/** What a person does who gets no answer: a refusal says that their first try was heard all the same. */
async function insist(by: string): Promise<void> {
  await vi.waitFor(
    async () => {
      try {
        await platform.gitops.decide({ change, environment: 'production', verdict: 'approve', by });
      } catch (error) {
        if (!(error instanceof GitopsError) || error.kind !== 'refused') throw error;
      }
    },
    { timeout: patience, interval: 1000 },
  );
}

test('Temporal is killed while people approve', { timeout: 2 * patience }, async () => {
  await deliver();
  await platform.review(change, 'staging');
  await platform.sees(change, { environments: { production: { state: 'waiting' } } });

  await insist('board-1');
  const underWay = insist('board-2');
  kill('temporal');
  await repair();
  await underWay;

  await expectDeliveredOnce(platform, change);
});

test('the server is killed, and nobody hears of a review', { timeout: patience }, async () => {
  await deliver();
  await platform.sees(change, { environments: { staging: { state: 'waiting' } } });
  await platform.server.kill();
  await platform.review(change, 'staging');
  await schedule().trigger();
  await platform.approve(change);

  await expectDeliveredOnce(platform, change);
});

test("Argo CD's controller is killed during a sync", { timeout: 2 * patience }, async () => {
  await syncsSlowly('production');
  await deliver();
  await platform.review(change, 'staging');
  await platform.approve(change);
  const application = applicationName(platform.config, 'claims', 'production');
  await vi.waitFor(
    async () => {
      const path = 'jsonpath={.status.operationState.phase}';
      expect(await platform.kubectl(['get', 'application', '-n', 'argocd', application, '-o', path])).toBe(
        'Running',
      );
    },
    { timeout: patience, interval: 100 },
  );
  const controller = 'argocd-application-controller-0';
  await platform.kubectl(['delete', 'pod', '-n', 'argocd', controller, '--grace-period=0', '--force']);
  // By itself it goes on with the sync only when it looks at the Application again, which may be after three minutes.
  const refresh = 'argocd.argoproj.io/refresh=normal';
  await platform.kubectl(['annotate', 'application', '-n', 'argocd', application, refresh]);

  await expectDeliveredOnce(platform, change);
});

test('the forge is killed during a review and during a merge', { timeout: 2 * patience }, async () => {
  await deliver();
  await platform.review(change, 'staging');
  kill('gitea');
  await repair();
  await schedule().trigger();
  await platform.approve(change);
  kill('gitea');
  await repair();

  await expectDeliveredOnce(platform, change);
});

/** A Job that runs for seconds before everything else. */
async function syncsSlowly(environment: string): Promise<void> {
  const { config, gitea } = platform;
  const overlay = `deploy/claims/overlays/${environment}`;
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'slow',
      annotations: {
        'argocd.argoproj.io/hook': 'PreSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      },
    },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'slow', image: 'debian:bookworm-slim', command: ['sleep', '10'] }],
        },
      },
    },
  };
  await gitea.commit('main', `${overlay}/slow.yaml`, stringify(job));
  const file = `${overlay}/kustomization.yaml`;
  const { content, sha } = (await gitea.api('GET', `/contents/${file}`)) as { content: string; sha: string };
  const text = Buffer.from(content, 'base64').toString();
  await gitea.api('PUT', `/contents/${file}`, {
    branch: config.repository.branch,
    message: 'Sync slowly',
    content: Buffer.from(text.replace('[release]', '[release, slow.yaml]')).toString('base64'),
    sha,
  });
}
