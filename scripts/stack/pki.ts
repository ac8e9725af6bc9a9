// The cluster's certificates and kubeconfig files, made once with openssl.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bridge, kubeconfigFile, ports, scratchKubeconfigFile, secretsDirectory, services } from './paths.ts';
import { run } from './run.ts';
import { writePrivately } from './secrets.ts';

export const nodeName = 'gitops';
export const apiServerUrl = `https://${bridge.gateway}:${ports.apiServer}`;
export const scratchApiServerUrl = `https://127.0.0.1:${ports.scratchApiServer}`;

const directory = join(secretsDirectory, 'cluster');
export const pki = (file: string): string => join(directory, file);
export const kubeconfig = (user: string): string =>
  user === 'admin' ? kubeconfigFile : pki(`${user}.kubeconfig`);

/** The cluster's administrator, for TLS. */
export const administrator = () => ({
  ca: readFileSync(pki('ca.crt')),
  cert: readFileSync(pki('admin.crt')),
  key: readFileSync(pki('admin.key')),
});

/** Certificate subjects are what Kubernetes takes for user (CN) and group (O). */
const clients = {
  admin: '/O=system:masters/CN=gitops-admin',
  'kube-controller-manager': '/CN=system:kube-controller-manager',
  'kube-scheduler': '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
  kubelet: `/O=system:nodes/CN=system:node:${nodeName}`,
  coredns: '/O=system:masters/CN=coredns',
  'kube-apiserver-to-kubelet': '/O=system:masters/CN=kube-apiserver-to-kubelet',
};
const servers = {
  'kube-apiserver': [
    ...[bridge.gateway, services.kubernetes, '127.0.0.1'].map((ip) => `IP:${ip}`),
    ...['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map(
      (name) => `DNS:${name}`,
    ),
    'DNS:kubernetes.default.svc.cluster.local',
  ],
  'kubelet-server': [`IP:${bridge.gateway}`, `DNS:${nodeName}`],
};

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '3650'];

/** Make what is missing. All of it is renewed together, so a half-made set never stays. */
export async function ensurePki(): Promise<void> {
  if (!existsSync(directory)) await makePki();
  for (const user of Object.keys(clients)) writeKubeconfig(kubeconfig(user), 'gitops', apiServerUrl, user);
  writeKubeconfig(scratchKubeconfigFile, 'scratch', scratchApiServerUrl, 'admin');
}

async function makePki(): Promise<void> {
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const at = (file: string) => join(unfinished, file);
  const ca = ['-subj', '/CN=gitops-stack', '-keyout', at('ca.key'), '-out', at('ca.crt')];
  await run('openssl', ['req', '-x509', ...curve, ...ca, '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
  const certificate = (name: string, subject: string, extensions: readonly string[]) =>
    run('openssl', [
      ...['req', '-x509', ...curve, '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-subj', subject],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)],
      ...['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((extension) => ['-addext', extension]),
    ]);
  await Promise.all([
    ...Object.entries(clients).map(([name, subject]) =>
      certificate(name, subject, ['extendedKeyUsage=clientAuth']),
    ),
    ...Object.entries(servers).map(([name, names]) =>
      certificate(name, `/CN=${name}`, ['extendedKeyUsage=serverAuth', `subjectAltName=${names.join(',')}`]),
    ),
  ]);
  const serviceAccounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = serviceAccounts.privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(at('service-accounts.key'), key, { mode: 0o600 });
  writeFileSync(
    at('service-accounts.pub'),
    serviceAccounts.publicKey.export({ type: 'spki', format: 'pem' }),
  );
  renameSync(unfinished, directory);
}

function writeKubeconfig(file: string, name: string, server: string, user: string): void {
  const embed = (file: string) => readFileSync(pki(file)).toString('base64');
  const cluster = { server, 'certificate-authority-data': embed('ca.crt') };
  const credentials = {
    'client-certificate-data': embed(`${user}.crt`),
    'client-key-data': embed(`${user}.key`),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writePrivately(file, text);
}
