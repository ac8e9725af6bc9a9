import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import type { RecreationSystems } from '../activities/recreation/systems.ts';
import type { Systems } from '../activities/systems.ts';
import { activitiesOf } from './activities.ts';

test('a worker of recovery starts without what only some of its activities need', () => {
  const there = new Set(['temporal', 'clusterOf', 'scratch']);
  const systems = new Proxy({} as Systems & RecreationSystems, {
    get(_, name) {
      if (name === 'config') return configuration();
      if (there.has(String(name))) return {};
      throw new Error(`${String(name)} is asked for before any activity is called`);
    },
  });
  expect(Object.keys(activitiesOf.recovery(systems, '/nowhere'))).toContain('compareBackups');
});
