import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Application } from '../../model/argocd/application.ts';
import { parseJson } from '../../model/json.ts';
import { kubernetesOf } from '../kubernetes/api-client.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { listAll } from '../kubernetes/list.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';
import { errorText, SystemError } from '../system-error.ts';
import { UnseenCluster } from './index.ts';

type Destination = Pick<Application['destination'], 'name' | 'server'>;

/** Where Argo CD lives. */
export interface Home {
  kubernetes: Kubernetes;
  namespace: string;
}

const own = 'https://kubernetes.default.svc';

/**
 * Does some work in the cluster that an Application deploys to. Into another one than Argo CD's it goes with the credentials
 * of Argo CD, read for this once: who renews them need tell nobody.
 *
 * @throws UnseenCluster: it is another one, and there is no way into it
 */
export async function inDestination<T>(
  home: Home,
  destination: Destination,
  work: (kubernetes: Kubernetes) => Promise<T>,
): Promise<T> {
  if (destination.name === 'in-cluster' || destination.server === own) return work(home.kubernetes);
  try {
    return await work(await connect(home, destination));
  } catch (error) {
    const { fact, advice } = error instanceof SystemError ? error : new SystemError(errorText(error));
    const name = destination.name ?? destination.server;
    throw new UnseenCluster(`Cluster ${name} cannot be looked into from here: ${fact}`, { advice });
  }
}

const decoded = z
  .string()
  .default('')
  .transform((base64) => Buffer.from(base64, 'base64').toString());
const secretSchema = z.object({
  metadata: z.object({ name: z.string() }),
  data: z.object({ name: decoded, server: decoded, config: decoded }).prefault({}),
});
type ClusterSecret = z.infer<typeof secretSchema>;

/** @see https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters */
async function connect({ kubernetes, namespace }: Home, destination: Destination): Promise<Kubernetes> {
  const found = await Array.fromAsync(
    listAll(kubernetes, `${namespacePath(namespace)}/secrets`, 'argocd.argoproj.io/secret-type=cluster'),
    (secret) => secretSchema.parse(secret),
  );
  const isMeant = ({ data }: ClusterSecret): boolean =>
    destination.name === undefined
      ? bare(data.server) === bare(destination.server ?? '')
      : data.name === destination.name;
  const [secret, another] = found.filter(isMeant);
  if (!secret) throw new SystemError(`Argo CD has no Secret for it in ${namespace}.`);
  if (another) {
    const names = `${secret.metadata.name} and ${another.metadata.name}`;
    throw new SystemError(`Both Secrets ${names} in ${namespace} are for it.`);
  }
  // Argo CD gives its own cluster another name than in-cluster by a Secret, too.
  return bare(secret.data.server) === own ? kubernetes : kubernetesOf(...credentialsIn(secret));
}

const bare = (server: string): string => server.replace(/\/+$/, '');

const text = z
  .string()
  .nullish()
  .transform((given) => given ?? undefined);
/** What may stand in a header: an error about anything else would quote it. */
const token = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]*$/)
  .nullish();
const configSchema = z.object({
  bearerToken: token,
  username: text,
  password: text,
  proxyUrl: text,
  awsAuthConfig: z.unknown().optional(),
  execProviderConfig: z.unknown().optional(),
  tlsClientConfig: z
    .object({
      insecure: z.boolean().default(false),
      serverName: text,
      caData: text,
      certData: text,
      keyData: text,
    })
    .prefault({}),
});

function credentialsIn({ metadata, data }: ClusterSecret): [KubeConfig, string] {
  const source = `Argo CD's Secret ${metadata.name}`;
  const { success, data: config } = configSchema.safeParse(parseJson(data.config || '{}'));
  if (!success) throw new SystemError(`${source} has a config that cannot be read.`);
  const command = (['awsAuthConfig', 'execProviderConfig'] as const).find((key) => config[key]);
  if (command !== undefined) {
    throw new SystemError(
      `${source} has ${command}, by which a command fetches the credentials: none is run here.`,
      { advice: 'A bearerToken or a client certificate would do.' },
    );
  }
  const { tlsClientConfig: tls, bearerToken, username, password, proxyUrl } = config;
  const connection = new KubeConfig();
  connection.loadFromClusterAndUser(
    {
      name: data.name,
      server: bare(data.server),
      skipTLSVerify: tls.insecure,
      ...(tls.caData && { caData: tls.caData }),
      ...(tls.serverName && { tlsServerName: tls.serverName }),
      ...(proxyUrl && { proxyUrl }),
    },
    {
      name: data.name,
      ...(bearerToken && { token: bearerToken }),
      ...(tls.certData && { certData: tls.certData }),
      ...(tls.keyData && { keyData: tls.keyData }),
      ...(username && { username, password: password ?? '' }),
    },
  );
  return [connection, source];
}
