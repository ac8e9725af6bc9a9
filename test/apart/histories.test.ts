import * as workflows from '../../src/workflows/index.ts';
import { DefaultLogger, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { misroutedIn } from '../support/contract-queues.ts';
import type { Run } from '../support/histories.ts';
import { readRecorded, recordedIn, releases } from '../support/recorded.ts';
import { replay, replayBundle } from '../support/replay.ts';

/**
 * Workflows that began under earlier code go on under the present: each recorded one is carried out again, and has to do
 * what it did, on the queues where it did it. `npm run record-histories` adds what the present code does.
 */
const files = releases.flatMap((release) => recordedIn(release).map((file) => `${release}/${file}`));
const runs = files.map(readRecorded);

let workflowBundle: WorkflowBundle;
const differences = new Map<string, Error | undefined>();

async function differencesOf(given: WorkflowBundle, some: readonly Run[]): Promise<(Error | undefined)[]> {
  const found: (Error | undefined)[] = [];
  for await (const difference of replay(given, some)) found.push(difference);
  return found;
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  workflowBundle = await replayBundle();
  const found = await differencesOf(workflowBundle, runs);
  for (const [index, difference] of found.entries()) differences.set(files[index] ?? '', difference);
}, 120_000);

test.for(files)('%s is still what the workflows do', (file) => {
  expect(differences.has(file)).toBe(true);
  expect(differences.get(file)).toBeUndefined();
});

test.for(files)('%s asked only those who may', (file) => {
  expect(misroutedIn(readRecorded(file))).toEqual([]);
});

/** The present workflows with something else in their code. */
function changed(from: string, to: string): WorkflowBundle {
  const code = workflowBundle.code.replaceAll(from, to);
  expect(code).not.toBe(workflowBundle.code);
  return { code };
}

test('a workflow that no longer does what it did is noticed', async () => {
  const run = readRecorded('0.1.0/delivered/environment-dev-1.json');
  const [difference] = await differencesOf(changed('.readRelease(', '.readReleases('), [run]);
  expect(difference).toBeInstanceOf(DeterminismViolationError);
});

test('an activity that goes to another queue is noticed', async () => {
  const run = readRecorded('0.1.0/delivered/environment-production-1.json');
  const [difference] = await differencesOf(
    changed("activitiesOn('production',", "activitiesOn('delivery',"),
    [run],
  );
  expect(difference?.message).toMatch(/^startSync was on .*\/production, and is now on .*\/delivery\.$/);
});

test('every workflow is recorded', () => {
  const types = new Set(runs.map(({ type }) => type));
  expect(types).toEqual(new Set(Object.keys(workflows)));
});
