import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** The scripts that this program is held against, as a good engineer would write them. */
export const comparator = (name: string): string =>
  fileURLToPath(new URL(`comparators/${name}`, import.meta.url));

/** `argocd --core` looks for Argo CD in the namespace of its kubeconfig. @returns a file in the folder */
export async function kubeconfigOfArgoCd(folder: string): Promise<string> {
  const file = join(folder, 'kubeconfig');
  const { stdout } = await execa('kubectl', ['config', 'view', '--raw']);
  await writeFile(file, stdout, { mode: 0o600 });
  await execa('kubectl', ['config', 'set-context', '--current', '--namespace=argocd', '--kubeconfig', file]);
  return file;
}
