// The developer gives dev a credential. It is sealed for this very cluster, since each has a sealing key of its own, so
// it is in Git only from here on.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { toolPath } from '../stack/binaries.ts';
import { kubeconfigFile } from '../stack/paths.ts';
import { describePods } from '../stack/pods.ts';
import { run } from '../stack/run.ts';
import { failureOf, until } from '../stack/until.ts';
import { inClone } from './platform.ts';

const overlay = 'infrastructure/kubernetes/services/claims-scrubbing/overlays/dev';
const sealedFile = 'payer-gateway.yaml';

/** Seals and pushes the credential, unless the one in Git can be opened in this cluster. */
export const sealCredential = (): Promise<void> =>
  inClone(async (git, folder) => {
    await untilSealing();
    const file = join(folder, overlay, sealedFile);
    if (existsSync(file) && (await canBeOpened(readFileSync(file, 'utf8')))) return;
    writeFileSync(file, stringify(await seal()));
    addResource(join(folder, overlay, 'kustomization.yaml'));
    await git(['add', overlay]);
    await git(['commit', '--quiet', '--message', "feat: sign dev's outcomes for the payers' gateway"]);
    await git(['push', '--quiet', 'origin', 'main']);
  });

const kubeseal = (args: readonly string[], input = ''): Promise<string> =>
  run(toolPath('kubeseal'), ['--kubeconfig', kubeconfigFile, ...args], { input });

/** Argo CD installs the controller, which makes its key when it first starts. */
const untilSealing = (): Promise<void> =>
  until({
    failing: 'The controller of sealed-secrets does not tell its certificate',
    missing: () => failureOf(kubeseal(['--fetch-cert'])),
    seconds: 60,
    every: 500,
    explain: () => describePods('kube-system'),
  });

const canBeOpened = (sealed: string): Promise<boolean> =>
  kubeseal(['--validate'], sealed).then(
    () => true,
    () => false,
  );

async function seal(): Promise<unknown> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'payer-gateway', namespace: 'brainsait-dev' },
    stringData: { key: randomBytes(32).toString('hex') },
  };
  const sealed = JSON.parse(await kubeseal(['--format', 'json'], JSON.stringify(secret)));
  // Pods read it once, when they start.
  sealed.metadata.annotations = { 'argocd.argoproj.io/sync-wave': '-1' };
  return sealed;
}

function addResource(kustomization: string): void {
  const document = parseDocument(readFileSync(kustomization, 'utf8'));
  const { resources } = document.toJS() as { resources: string[] };
  if (resources.includes(sealedFile)) return;
  document.addIn(['resources'], sealedFile);
  writeFileSync(kustomization, document.toString());
}
