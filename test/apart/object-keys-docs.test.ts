import { readFileSync } from 'node:fs';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { endToEndStep, objectKeys } from '../../src/model/object-keys.ts';
import { reportTextKey } from '../../src/model/recovery/recreation.ts';
import { root } from '../support/pages.ts';

const change = { service: 'claims', commit: '3f'.repeat(20) };
const attempt = '1a2b3c4d-12';
const run = '1a2b3c4d-aaaa-bbbb-cccc-0123456789ab';
const report = objectKeys.recreation('live', '2026-01-01T08:00:00Z', run);

const keys: Record<keyof typeof objectKeys, string[]> = {
  owner: [objectKeys.owner],
  repository: [objectKeys.repository],
  environment: [objectKeys.environment('dev', 'claims')],
  delivery: [objectKeys.delivery(change)],
  build: [objectKeys.build(change)],
  // What lies below it is `log` and `podLog`.
  logs: [],
  log: [objectKeys.log(change, 'test', attempt), objectKeys.log(change, endToEndStep('dev'), attempt)],
  podLog: [objectKeys.podLog(change, 'dev', attempt, 'web')],
  recreationLog: [objectKeys.recreationLog('live', run, 'argocd-server-0')],
  recreation: [report, reportTextKey(report)],
  diff: [objectKeys.diff('dev', change, `sha256:${'a'.repeat(64)}`)],
};

/** `<service>` stands for one name, `…` for the rest of one. */
const stands = (shown: string, key: string): boolean =>
  picomatch.isMatch(key, shown.replaceAll(/<[a-z]+>|…/g, '*'));

test('whoever writes the rights to the bucket finds every key in docs/architecture.md, and no other', () => {
  const page = readFileSync(`${root}docs/architecture.md`, 'utf8');
  const rows = [...page.matchAll(/^\| S3 (`[^|]+`) +\|/gm)].map(([, cell = '']) => cell);
  const shown = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key));
  const written = Object.values(keys).flat();
  expect(written.filter((key) => !shown.some((one) => stands(one, key)))).toEqual([]);
  expect(shown.filter((one) => !written.some((key) => stands(one, key)))).toEqual([]);
});
