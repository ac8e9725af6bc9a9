import { expect, test, vi } from 'vitest';
import { configuration, least } from '../../test/support/configuration.ts';
import { queues } from '../model/temporal/task-queues.ts';
import { missingSecrets } from './needed-secrets.ts';

const config = configuration({
  repository: { ...least.repository, token: 'env:TEST_PUSH' },
  forge: { ...least.forge, token: 'env:TEST_FORGE', webhookSecret: 'env:TEST_WEBHOOK' },
  registry: { ...least.registry, login: { username: 'bot', password: 'file:/nowhere/password' } },
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
    ],
  ],
  [
    'delivery',
    [
      'repository.token (env:TEST_PUSH)',
      'services.explicit.claims.source.token (env:TEST_SOURCE)',
      'forge.token (env:TEST_FORGE)',
    ],
  ],
  [
    'production',
    [
      'repository.token (env:TEST_PUSH)',
      'services.explicit.claims.source.token (env:TEST_SOURCE)',
      'forge.token (env:TEST_FORGE)',
      'backup.recipients[0] (env:TEST_RECIPIENT)',
    ],
  ],
  ['recovery', ['backup.recovery.identity (env:TEST_IDENTITY)']],
  ['wait', ['repository.token (env:TEST_PUSH)']],
] as const)('workers of %s need no more than what they do takes', (queue, missing) => {
  expect(missingSecrets(config, [queue])).toEqual(missing);
});

test('each is told once, and none that is there', () => {
  vi.stubEnv('TEST_PUSH', 'sesame');
  expect(missingSecrets(config, queues)).toEqual([
    'services.explicit.claims.source.token (env:TEST_SOURCE)',
    'registry.login.password (file:/nowhere/password)',
    'forge.token (env:TEST_FORGE)',
    'backup.recipients[0] (env:TEST_RECIPIENT)',
    'backup.recovery.identity (env:TEST_IDENTITY)',
  ]);
  expect(
    missingSecrets(configuration({ forge: { ...least.forge, token: 'env:TEST_PUSH' } }), queues),
  ).toEqual([]);
});
