import { expect, test } from 'vitest';
import { linkProblems } from './links.ts';

const service = {
  name: 'claims',
  path: 'services/claims',
  paths: [],
  releases: [],
  manifests: 'deploy/claims',
  base: 'deploy/claims/base',
};
const told = (...links: string[]): string[] =>
  linkProblems(service, { files: [], links, read: async () => undefined }).map(({ path }) => path);

test('a link in base/ is told, and one that leads to it; others are not', () => {
  const inBase = ['deploy/claims/base', 'deploy/claims/base/app.yaml', 'deploy/claims/base/a/b', 'deploy'];
  const others = [
    'deploy/claims/base-2',
    'deploy/claims/overlays/dev/x.yaml',
    'services/claims/link',
    'docs',
  ];
  expect(told(...inBase, ...others)).toEqual(inBase);
});
