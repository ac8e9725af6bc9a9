import type { Client } from '@temporalio/client';
import { afterEach, expect, test, vi } from 'vitest';
import { configuration, least } from '../../test/support/configuration.ts';
import { queues } from '../model/temporal/task-queues.ts';
import { missingSecrets, reach } from './needed-secrets.ts';
import { createSystems } from './systems.ts';

afterEach(() => vi.unstubAllEnvs());

const config = configuration({
  repository: { ...least.repository, token: 'env:TEST_PUSH' },
  forge: { ...least.forge, token: 'env:TEST_FORGE', webhookSecret: 'env:TEST_WEBHOOK' },
  registry: { ...least.registry, login: { username: 'bot', password: 'file:/nowhere/password' } },
  objects: { ...least.objects, accessKeyId: 'env:TEST_KEY_ID', secretAccessKey: 'env:TEST_KEY' },
  services: {
    explicit: {
      claims: {
        path: '.',
        test: ['env:NO_SECRET'],
        source: { repository: 'https://forge.example/team/claims.git', token: 'env:TEST_SOURCE' },
      },
    },
  },
  backup: {
    cluster: 'live',
    bucket: 'backups',
    recipients: ['env:TEST_RECIPIENT'],
    recovery: { identity: 'env:TEST_IDENTITY' },
  },
});

test.each([
  [
    'build',
    [
      'repository.token (env:TEST_PUSH)',
      'services.explicit.claims.source.token (env:TEST_SOURCE)',
      'registry.login.password (file:/nowhere/password)',
      'objects.accessKeyId (env:TEST_KEY_ID)',
      'objects.secretAccessKey (env:TEST_KEY)',
    ],
  ],
  [
    'delivery',
    [
      'repository.token (env:TEST_PUSH)',
      'services.explicit.claims.source.token (env:TEST_SOURCE)',
      'forge.token (env:TEST_FORGE)',
      'objects.accessKeyId (env:TEST_KEY_ID)',
      'objects.secretAccessKey (env:TEST_KEY)',
    ],
  ],
  [
    'production',
    [
      'repository.token (env:TEST_PUSH)',
      'services.explicit.claims.source.token (env:TEST_SOURCE)',
      'forge.token (env:TEST_FORGE)',
      'objects.accessKeyId (env:TEST_KEY_ID)',
      'objects.secretAccessKey (env:TEST_KEY)',
      'backup.recipients[0] (env:TEST_RECIPIENT)',
    ],
  ],
  [
    'recovery',
    [
      'objects.accessKeyId (env:TEST_KEY_ID)',
      'objects.secretAccessKey (env:TEST_KEY)',
      'backup.recovery.identity (env:TEST_IDENTITY)',
    ],
  ],
  [
    'wait',
    [
      'repository.token (env:TEST_PUSH)',
      'objects.accessKeyId (env:TEST_KEY_ID)',
      'objects.secretAccessKey (env:TEST_KEY)',
    ],
  ],
] as const)('workers of %s need no more than what they do takes', (queue, missing) => {
  expect(missingSecrets(config, [queue])).toEqual(missing);
});

test.each(queues)('a worker of %s that starts can reach all that its activities are given', (queue) => {
  for (const secret of missingSecrets(config, [queue])) {
    const [, variable] = /env:(\w+)/.exec(secret) ?? [];
    if (variable !== undefined) vi.stubEnv(variable, 'sesame');
  }
  const temporal = { workflow: { getHandle: () => ({}) } } as unknown as Client;
  const systems = createSystems(config, temporal, '/nowhere');
  const broken = reach[queue].filter((system) => {
    try {
      return systems[system] === undefined;
    } catch {
      return true;
    }
  });
  expect(broken).toEqual([]);
});

test('each is told once, and none that is there', () => {
  vi.stubEnv('TEST_PUSH', 'sesame');
  expect(missingSecrets(config, queues)).toEqual([
    'services.explicit.claims.source.token (env:TEST_SOURCE)',
    'registry.login.password (file:/nowhere/password)',
    'objects.accessKeyId (env:TEST_KEY_ID)',
    'objects.secretAccessKey (env:TEST_KEY)',
    'forge.token (env:TEST_FORGE)',
    'backup.recipients[0] (env:TEST_RECIPIENT)',
    'backup.recovery.identity (env:TEST_IDENTITY)',
  ]);
  expect(
    missingSecrets(configuration({ forge: { ...least.forge, token: 'env:TEST_PUSH' } }), queues),
  ).toEqual([]);
});
