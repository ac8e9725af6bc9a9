import type { Config, EnvironmentConfig } from '../config/schema.ts';
import { ForgeError } from '../systems/forge/index.ts';
import { createForge } from '../wiring/forge.ts';
import { ok, warning, type Check, type Finding } from './check.ts';

/** The forge, what its rules let this program do, and what they let others do. */
export const forge: Check = {
  name: 'forge',
  async *look({ config }) {
    const { branch, token } = config.repository;
    const system = createForge(config);
    const open = await system.openPullRequests();
    yield ok('forge', `${config.forge.url} answers; ${open.length} pull requests are open.`);
    const rules = await system.branchRules(branch, useOf(config));
    for (const rule of rules) yield { name: 'branch rules', ...rule };
    if (rules.every(({ state }) => state === 'ok')) {
      yield ok('branch rules', `Nothing stands in the way of promotions to ${branch}.`);
    }
    if (token !== undefined && token !== config.forge.token) yield* onOtherAccount(config, token);
  },
};

/** Git may push as another account than the one that opens pull requests. */
async function* onOtherAccount(config: Config, token: string): AsyncGenerator<Finding> {
  const name = 'branch rules for repository.token';
  const system = createForge({ ...config, forge: { ...config.forge, token } });
  try {
    const rules = await system.branchRules(config.repository.branch, useOf(config));
    const wrong = rules.filter(({ state }) => state === 'failed');
    for (const rule of wrong) yield { name, ...rule };
    if (wrong.length === 0) yield ok(name, 'Nothing stands in the way of its pushes.');
  } catch (error) {
    if (!(error instanceof ForgeError && ['auth', 'forbidden', 'missing'].includes(error.kind))) throw error;
    const remedy = 'Look yourself, or let it read the repository over the API.';
    yield warning(name, 'It may not ask the forge whether it may push.', remedy);
  }
}

function useOf({ environments }: Config) {
  const names = (wanted: (environment: EnvironmentConfig) => boolean) =>
    environments.filter(wanted).map(({ name }) => name);
  return {
    pushed: names(({ entersBy }) => entersBy === 'push'),
    reviewed: names(({ approval }) => approval === 'review'),
    unreviewed: names(({ entersBy, approval }) => entersBy === 'pull-request' && approval !== 'review'),
  };
}
