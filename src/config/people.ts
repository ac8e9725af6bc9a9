import type { Config } from './schema.ts';

/** Names of the people who may approve and reject. */
export const decidersOf = ({ people }: Pick<Config, 'people'>): string[] =>
  Object.keys(people).filter((name) => people[name]?.decides);
