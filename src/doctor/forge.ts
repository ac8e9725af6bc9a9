import type { Config } from '../config/schema.ts';
import { createForge } from '../systems/forge/index.ts';
import { ok, type Check } from './check.ts';

/** The forge, what its rules let this program do, and what they let others do. */
export const forge: Check = {
  name: 'forge',
  async *look({ config }) {
    const { branch } = config.repository;
    const system = createForge(config);
    const open = await system.openPullRequests();
    yield ok('forge', `${config.forge.url} answers; ${open.length} pull requests are open.`);
    const rules = await system.branchRules(branch, useOf(config));
    for (const rule of rules) yield { name: 'branch rules', ...rule };
    if (rules.some(({ state }) => state !== 'ok')) return;
    yield ok('branch rules', `Nothing stands in the way of promotions to ${branch}.`);
  },
};

function useOf({ environments }: Config) {
  const names = (wanted: (environment: Config['environments'][number]) => boolean) =>
    environments.filter(wanted).map(({ name }) => name);
  return {
    pushed: names(({ entersBy }) => entersBy === 'push'),
    reviewed: names(({ approval }) => approval === 'review'),
    unreviewed: names(({ entersBy, approval }) => entersBy === 'pull-request' && approval !== 'review'),
  };
}
