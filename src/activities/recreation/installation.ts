import type { Config } from '../../config/schema.ts';
import { readInstallation, type Installation } from '../../systems/argocd/manifest.ts';
import { refused } from '../failures.ts';

/** What Argo CD is installed from. @throws Refused, WrongManifest, SystemError */
export async function installationOf({ argocd }: Config): Promise<Installation> {
  if (argocd.install) return readInstallation(argocd.install);
  throw refused(
    'gitops.yaml does not say what Argo CD is installed from. Write argocd.install with manifest and sha256: docs/configuration.md has it.',
  );
}
