import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { bundle } from '../src/worker/bundle.ts';
import * as workflows from '../src/workflows/index.ts';

/**
 * Workflows that began under earlier code go on under the present: each recorded one is carried out again, and has to do
 * what it did. `npm run record-histories` adds what the present code does.
 */
const folder = fileURLToPath(new URL('histories/', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.json'),
);

interface Recorded {
  events: {
    workflowExecutionStartedEventAttributes?: { workflowId: string; workflowType: { name: string } };
  }[];
}
const read = (file: string) => JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as Recorded;
const startOf = ({ events: [first] }: Recorded) => first?.workflowExecutionStartedEventAttributes;

let workflowBundle: WorkflowBundle;

beforeAll(async () => {
  workflowBundle = await bundle(fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url)));
});

const replay = (history: Recorded, given = workflowBundle) =>
  Worker.runReplayHistory({ workflowBundle: given }, history, startOf(history)?.workflowId);

test.for(files)('%s is still what the workflows do', (file) => replay(read(file)));

test('a workflow that no longer does what it did is noticed', async () => {
  const code = workflowBundle.code.replaceAll('.readRelease(', '.readReleases(');
  expect(code).not.toBe(workflowBundle.code);
  const changed = replay(read('delivered/environment-dev-1.json'), { code });
  await expect(changed).rejects.toThrow(DeterminismViolationError);
});

test('every workflow is recorded', () => {
  const types = new Set(files.map((file) => startOf(read(file))?.workflowType.name));
  expect(types).toEqual(new Set(Object.keys(workflows)));
});
