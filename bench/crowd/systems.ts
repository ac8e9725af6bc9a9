import { setTimeout as delay } from 'node:timers/promises';
import type { createSystems } from '../../src/wiring/systems.ts';
import type { CommandRunner } from '../../src/systems/commands/index.ts';
import type { Images } from '../../src/systems/images/index.ts';
import type { ObjectStore } from '../../src/systems/objects/index.ts';
import { SimulatedArgoCd } from './argocd.ts';
import { SimulatedForge } from './forge.ts';
import { answerMs, buildMs, hash, type Crowd } from './parameters.ts';
import { SimulatedRepository } from './repository.ts';

/**
 * Stands in for all outside systems but Temporal, at their interfaces, so that workflows, activities and the worker are
 * the real ones.
 *
 * @param waits is given how to tell how many activities wait for Argo CD
 */
export const simulating =
  (crowd: Crowd, waits: (count: () => number) => void): typeof createSystems =>
  (config, temporal, workDirectory) => {
    const repository = new SimulatedRepository(crowd);
    const argocd = new SimulatedArgoCd(config, crowd, repository);
    waits(() => argocd.waits);
    return {
      config,
      temporal,
      repository,
      sourceOf: () => repository,
      argocd,
      forge: new SimulatedForge(repository),
      objects: memoryStore(),
      images,
      commands,
      recreations: { last: async () => ({ underWay: false }) },
      scratch: workDirectory,
      close: () => undefined,
      get kubernetes(): never {
        return absent('cluster');
      },
      get backups(): never {
        return absent('backup');
      },
      get recovery(): never {
        return absent('backup');
      },
      clusterOf: () => absent('cluster'),
    };
  };

function absent(what: string): never {
  throw new Error(`No delivery of the crowd needs a ${what}.`);
}

const commands: CommandRunner = {
  async run({ onOutput }) {
    await delay(buildMs);
    onOutput('ok\n');
    return { state: 'ended', exitCode: 0 };
  },
};

const images: Images = {
  tryBuild: async () => ({ state: 'built' }),
  async buildAndPush({ onOutput }, { name, tag }) {
    await delay(buildMs);
    onOutput('built\n');
    return { state: 'built', digest: `sha256:${hash(`${name}:${tag}`).padEnd(64, '0')}` };
  },
  labels: () => delay(answerMs, {}),
};

function memoryStore(): ObjectStore {
  const stored = new Map<string, string>();
  return {
    async get(key) {
      await delay(answerMs);
      const body = stored.get(key);
      return body === undefined ? undefined : { body, etag: hash(body) };
    },
    async put(key, body, { ifAbsent, ifMatch } = {}) {
      await delay(answerMs);
      const found = stored.get(key);
      if (ifAbsent && found !== undefined) return false;
      if (ifMatch !== undefined && (found === undefined || hash(found) !== ifMatch)) return false;
      stored.set(key, body);
      return true;
    },
    list: async (prefix, limit) =>
      [...stored]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, body]) => ({ key, size: body.length, writtenAt: '' }))
        .toSorted((a, b) => a.key.localeCompare(b.key))
        .slice(0, limit),
  };
}
