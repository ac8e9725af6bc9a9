import { z } from 'zod';
import type { Image } from '../../model/change.ts';

export interface RegistryAccess {
  /** `registry.example:5000` */
  host: string;
  /** Plain HTTP. */
  insecure: boolean;
  login?: { username: string; password: string };
  caFile?: string;
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const manifestSchema = z.object({ config: z.object({ digest: z.string() }) });
const configSchema = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).optional(),
});
const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

const timeoutMs = 20_000;

/**
 * Labels of an image, by the registry's HTTP API (OCI distribution 1.1).
 *
 * @returns undefined when the registry does not have it
 * @throws Error when it answers anything but yes or no, or has several platforms under that digest
 */
export async function readLabels(
  access: RegistryAccess,
  { name, digest }: Image,
): Promise<Record<string, string> | undefined> {
  const [host = '', ...path] = name.split('/');
  const repository = path.join('/');
  const root = `${access.insecure ? 'http' : 'https'}://${host}`;
  const accept = manifestTypes.join(', ');
  // A login is for its own registry only.
  const login = host === access.host ? access.login : undefined;

  const get = async (kind: 'manifests' | 'blobs', reference: string) => {
    const url = `${root}/v2/${repository}/${kind}/${reference}`;
    const answer = await fetch(url, { headers: { accept }, signal: AbortSignal.timeout(timeoutMs) });
    if (answer.status !== 401) return answer;
    const authorization = await authorize(answer.headers.get('www-authenticate') ?? '', login);
    return fetch(url, { headers: { accept, authorization }, signal: AbortSignal.timeout(timeoutMs) });
  };

  const manifest = await get('manifests', digest);
  if (manifest.status === 404) return undefined;
  if (!manifest.ok) throw new Error(`${host} answered ${manifest.status} for ${name}@${digest}.`);
  const parsed = manifestSchema.safeParse(await manifest.json());
  if (!parsed.success)
    throw new Error(`${name}@${digest} is no image of one platform. Name the one that runs.`);
  const config = await get('blobs', parsed.data.config.digest);
  if (!config.ok)
    throw new Error(`${host} answered ${config.status} for the configuration of ${name}@${digest}.`);
  return configSchema.parse(await config.json()).config?.Labels ?? {};
}

/** Basic, or a token of the server that the challenge names. @see https://distribution.github.io/distribution/spec/auth/token/ */
async function authorize(challenge: string, login: RegistryAccess['login']): Promise<string> {
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  if (/^basic/i.test(challenge)) {
    if (basic !== undefined) return basic;
    throw new Error('The registry wants a login: set registry.login in gitops.yaml.');
  }
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const { realm, service, scope } = z
    .object({ realm: z.url(), service: z.string().optional(), scope: z.string().optional() })
    .parse(fields);
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  const answer = await fetch(url, {
    ...(basic !== undefined && { headers: { authorization: basic } }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!answer.ok)
    throw new Error(`${url.host} gave no token (${answer.status}). See registry.login in gitops.yaml.`);
  const { token, access_token: accessToken } = tokenSchema.parse(await answer.json());
  return `Bearer ${token ?? accessToken ?? ''}`;
}
