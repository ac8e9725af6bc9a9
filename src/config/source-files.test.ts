import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { sourceFileProblems } from './source-files.ts';

const service = {
  name: 'claims',
  path: 'services/claims',
  paths: [],
  releases: [],
  manifests: 'deploy/claims',
  base: 'deploy/claims/base',
};
const overlay = 'deploy/claims/overlays/dev';

test('files that change what Argo CD renders of an overlay are told, those of other Applications are not', () => {
  const changing = ['.argocd-source.yaml', '.argocd-source-claims-dev.yaml', 'Chart.yaml', 'zChart.yaml'].map(
    (file) => `${overlay}/${file}`,
  );
  const others = [
    `${overlay}/.argocd-source-claims-production.yaml`,
    `${overlay}/release/Chart.yaml`,
    'deploy/claims/.argocd-source.yaml',
  ];
  const found = sourceFileProblems(configuration(), service, 'dev', new Set([...changing, ...others]));
  expect(found.map(({ path }) => path)).toEqual(changing);
  expect(found[0]?.message).toMatch(
    /write what it says into the kustomization\.yaml beside it, and delete it$/,
  );
});

test('of an Application in a namespace of its own Argo CD reads a file with that in its name', () => {
  const file = `${overlay}/.argocd-source-team-a_claims-dev.yaml`;
  const config = configuration({
    environments: [{ name: 'dev', entersBy: 'push', applicationNamespace: 'team-a' }],
  });
  expect(sourceFileProblems(config, service, 'dev', new Set([file]))).toHaveLength(1);
});
