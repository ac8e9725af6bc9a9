import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configuration } from '../../../test/support/configuration.ts';
import { parseApplication } from '../../systems/argocd/application.ts';
import { refuseSource } from './application-source.ts';

const config = configuration({ repository: { url: 'http://10.87.0.1:3000/developer/bakery.git' } });
const overlay = 'deploy/orders/overlays/dev';
const source =
  '{ repoURL: http://10.87.0.1:3000/developer/bakery.git, targetRevision: main, path: deploy/orders/overlays/dev }';

/** Why an Application with this in its `spec` is not delivered through, as somebody would write it. */
const refusal = (...lines: string[]): string | undefined =>
  refuseSource(
    config,
    parseApplication(
      parse(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: orders-dev, namespace: argocd }
spec:
  project: bakery
  destination: { server: https://kubernetes.default.svc, namespace: bakery-dev }
  syncPolicy: { automated: { prune: true, selfHeal: true } }
${lines.map((line) => `  ${line}`).join('\n')}`),
    ),
    overlay,
  );
const renderedBy = (tool: string): string | undefined =>
  refusal(`source: ${source.replace(' }', `, ${tool} }`)}`);

test.each([
  ['plugin', 'plugin: { name: fill-in-secrets }'],
  ['plugin', 'plugin: {}'],
  ['plugin', 'plugin: { env: [{ name: A, value: b }] }'],
  ['directory', 'directory: { recurse: true }'],
  ['directory', 'directory: { jsonnet: { libs: [vendor] } }'],
  ['directory', 'directory: { include: "*.yaml" }'],
  ['helm', 'helm: { valueFiles: [values.yaml] }'],
  ['helm', 'helm: { parameters: [{ name: a, value: b }] }'],
])('what is approved is not what runs where an Application renders by its %s: %s', (tool, block) => {
  expect(renderedBy(block)).toBe(
    `Application orders-dev renders ${overlay} by spec.source.${tool}, and not by Kustomize as releases are: take that block out. Correct the Application, or gitops.yaml.`,
  );
});

test.each(['helm: {}', 'directory: {}', 'kustomize: { namePrefix: a- }', 'plugin: null'])(
  'a block that has nothing else render is no harm: %s',
  (block) => expect(renderedBy(block)).toBeUndefined(),
);

test.each([
  ['spec.sources', [`sources: [${source}]`]],
  ['spec.sources', [`sources: [${source}, ${source.replace(' }', ', ref: values }')}]`]],
  // Argo CD takes the list where both are there.
  ['spec.sources', [`source: ${source}`, `sources: [${source}]`]],
  [
    'spec.sourceHydrator',
    [
      `sourceHydrator: { drySource: ${source}, syncSource: { targetBranch: environments/dev, path: orders } }`,
    ],
  ],
  [
    'spec.sourceHydrator',
    [`source: ${source}`, `sourceHydrator: { drySource: ${source}, syncSource: { path: orders } }`],
  ],
  ['spec.sources', []],
])('an Application with %s instead of a single source is told: %j', (instead, lines) => {
  expect(refusal(...lines)).toBe(
    `Application orders-dev has no single source: it needs spec.source with path ${overlay} instead of ${instead}. Correct the Application, or gitops.yaml.`,
  );
});

test.each([
  [source.replace(overlay, 'deploy/orders/base'), 'syncs deploy/orders/base, not deploy/orders/overlays/dev'],
  [source.replace(`path: ${overlay}`, 'chart: orders'), 'syncs no path, not deploy/orders/overlays/dev'],
  [source.replace('main', 'environments/dev'), 'follows environments/dev, not main'],
  [
    source.replace('developer/bakery', 'developer/other'),
    'syncs from http://10.87.0.1:3000/developer/other.git, not from http://10.87.0.1:3000/developer/bakery.git',
  ],
])('one that syncs something else is told: %s', (other, why) => {
  expect(refusal(`source: ${other}`)).toBe(
    `Application orders-dev ${why}. Correct the Application, or gitops.yaml.`,
  );
});

test.each([
  source,
  source.replace('main', 'refs/heads/main'),
  source.replace('targetRevision: main, ', ''),
  source.replace(overlay, `./${overlay}/`),
  source.replace('http://10.87.0.1:3000/', 'ssh://git@forge.example:2222/'),
  source.replace('http://10.87.0.1:3000/developer/bakery.git', 'git@forge.example:Developer/Bakery'),
])('one that syncs the overlay is not, however that is written: %s', (same) => {
  expect(refusal(`source: ${same}`)).toBeUndefined();
});
