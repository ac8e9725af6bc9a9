// Where the local stack keeps things, and the addresses at which its systems answer.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

/** What the running systems own. Everything here is lost with the checkout, and nothing outside it. */
export const state = join(checkout, '.stack');
export const runDirectory = join(state, 'run');
export const logDirectory = join(state, 'log');
export const secretsDirectory = join(state, 'secrets');
export const binDirectory = join(state, 'bin');
export const envFile = join(state, 'env');
export const kubeconfigFile = join(state, 'kubeconfig');
export const scratchDirectory = join(state, 'scratch');
export const scratchKubeconfigFile = join(scratchDirectory, 'kubeconfig');
/** The manifest that Argo CD is installed from, at a path that no version is part of. */
export const argocdManifest = join(state, 'argocd/core-install.yaml');

/** What takes minutes to build; shared by all checkouts of this user, keyed by what determines each. */
export const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gitops-stack');

/** Pods and host reach each other over this bridge, so one repository URL is right for both. */
export const bridge = { name: 'gitops0', gateway: '10.87.0.1', prefix: 16, subnet: '10.87.0.0/16' };
export const services = { subnet: '10.88.0.0/16', kubernetes: '10.88.0.1', dns: bridge.gateway };

export const ports = {
  temporal: 7233,
  temporalUi: 8233,
  apiServer: 6443,
  scratchApiServer: 16443,
  forge: 3000,
  registry: 5000,
  s3: 8333,
  server: 8080,
};

export const registry = `localhost:${ports.registry}`;
export const example = join(checkout, 'examples/brainsait-rcm');
