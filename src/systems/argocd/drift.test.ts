import { expect, test } from 'vitest';
import { driftedFields } from './drift.ts';

const note = 'kubectl.kubernetes.io/last-applied-configuration';
const applied = (live: object, was: object) =>
  driftedFields({ ...live, metadata: { annotations: { [note]: JSON.stringify(was) } } });
const containers = (...all: object[]) => ({ spec: { template: { spec: { containers: all } } } });

test('replicas that an autoscaler writes over are told with both numbers', () => {
  expect(applied({ spec: { replicas: 3, paused: false } }, { spec: { replicas: 2 } })).toEqual([
    'spec.replicas is 3, and 2 was applied',
  ]);
});

test('what a webhook changes is told by its place, also in lists', () => {
  const was = containers({ name: 'app', image: 'a:1' });
  expect(applied(containers({ name: 'app', image: 'mirror/a:1', tty: false }), was)).toEqual([
    'spec.template.spec.containers[app].image was changed',
  ]);
  expect(applied(containers({ name: 'app', image: 'a:1' }, { name: 'proxy' }), was)).toEqual([
    'spec.template.spec.containers[proxy] was added',
  ]);
});

test('defaults, and what was left empty, are no difference', () => {
  const was = { spec: { strategy: null, template: { labels: {} } } };
  const live = { spec: { strategy: { type: 'RollingUpdate' }, template: {}, replicas: 1 } };
  expect(applied(live, was)).toEqual([]);
});

test('no text is told, since somebody may have put a secret there', () => {
  expect(applied({ data: { password: 'bmV3' } }, { data: { password: 'b2xk', user: 'bWU=' } })).toEqual([
    'data.password was changed',
    'data.user was taken out',
  ]);
});

test('many fields are cut to some, and without a note of the last apply there are none', () => {
  const was = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, 1]));
  expect(applied({ spec: {} }, { spec: was }).at(-1)).toBe('and 3 more fields');
  expect(driftedFields({ metadata: {} })).toEqual([]);
  expect(driftedFields(undefined)).toEqual([]);
});
