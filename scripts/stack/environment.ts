// `.stack/env`: what a shell needs so that every command finds the stack.
import { mkdirSync, symlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath, wheelPath, type ToolName } from './binaries.ts';
import { forgeUrl } from './gitea.ts';
import { binDirectory, checkout, envFile, example, kubeconfigFile } from './paths.ts';
import { containersEnvironment } from './registry.ts';
import { backupEnvironment, s3Credentials, s3Endpoint, s3Region } from './s3.ts';
import { secret, storedSecret, writePrivately } from './secrets.ts';
import { temporalAddress, temporalNamespace } from './temporal.ts';

const shown: ToolName[] = ['kubectl', 'kubeseal', 'kustomize', 'argocd', 'etcd', 'kube-apiserver'];

/** Addresses and credentials of the stack, by the names that gitops.yaml and the ecosystem's tools look for. */
export function stackEnvironment(): Record<string, string> {
  const { accessKeyId, secretAccessKey } = s3Credentials();
  return {
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: temporalNamespace,
    KUBECONFIG: kubeconfigFile,
    GITOPS_CONFIG: join(example, 'gitops.yaml'),
    GITOPS_WORK_DIRECTORY: '/var/tmp/gitops-stack',
    FORGE_URL: forgeUrl,
    FORGE_TOKEN: storedSecret('forge-gitops.token') ?? '',
    WEBHOOK_SECRET: secret('webhook-secret'),
    S3_ENDPOINT: s3Endpoint,
    AWS_REGION: s3Region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...backupEnvironment(),
    ...containersEnvironment,
  };
}

export function writeEnvironment(): void {
  rmSync(binDirectory, { recursive: true, force: true });
  mkdirSync(binDirectory, { recursive: true });
  for (const name of shown) symlinkSync(toolPath(name), join(binDirectory, name));
  for (const name of ['temporal', 'weed'] as const) {
    symlinkSync(wheelPath(name), join(binDirectory, name));
  }
  symlinkSync(join(checkout, 'bin/gitops.js'), join(binDirectory, 'gitops'));
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = Object.entries(stackEnvironment()).map(([name, value]) => `export ${name}=${quoted(value)}`);
  lines.push(`export PATH=${quoted(`${binDirectory}:${join(checkout, 'node_modules/.bin')}`)}:"$PATH"`);
  writePrivately(envFile, `${lines.join('\n')}\n`);
}
