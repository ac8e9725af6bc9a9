import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

/** For tests that kill workers: none waits for long until that is noticed. */
export const noticedSoon = { worker: { silence: { exchange: '3s', work: '3s' } } };

/** The least that a platform with two services and two environments says. */
export const least = {
  platform: 'platform',
  repository: { url: 'https://forge.example/team/platform.git' },
  forge: { kind: 'gitea', url: 'https://forge.example', token: 'env:FORGE_TOKEN' },
  registry: { image: 'registry.example/team/{service}' },
  objects: { bucket: 'state' },
  manifests: 'manifests/{service}',
  services: { discover: ['services/*'] },
  environments: [
    { name: 'dev', entersBy: 'push' },
    { name: 'production', approval: { quorum: 2 }, sync: 'manual' },
  ],
  identity: 'trusted-namespace',
  people: { 'board-1': {}, 'board-2': {} },
};

/** @param changes take the place of whole keys */
export const configuration = (changes: object = {}): Config =>
  parseConfig(stringify({ ...least, ...changes }, { aliasDuplicateObjects: false }));
