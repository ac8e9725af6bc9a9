import { z } from 'zod';
import type { Image } from '../../model/delivery/change.ts';
import { certificateAdvice } from '../network/certificates.ts';
import { rootCause, SystemError } from '../system-error.ts';

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

interface Request {
  method?: string;
  headers?: Record<string, string>;
}

/**
 * Labels of an image, by the registry's HTTP API (OCI distribution 1.1).
 *
 * @returns undefined when the registry does not have it
 * @throws SystemError when it answers anything but yes or no, or has several platforms under that digest
 */
export async function readLabels(
  access: RegistryAccess,
  { name, digest }: Image,
): Promise<Record<string, string> | undefined> {
  const { host, root } = placeOf(access, name);
  const get = (path: string) =>
    ask(access, host, `${root}/${path}`, { headers: { accept: manifestTypes.join(', ') } });

  const manifest = await get(`manifests/${digest}`);
  if (manifest.status === 404) return undefined;
  if (!manifest.ok) throw refusal(manifest, host, `for ${name}@${digest}`);
  const parsed = manifestSchema.safeParse(await manifest.json());
  if (!parsed.success) {
    throw new SystemError(`${name}@${digest} is no image of one platform.`, {
      advice: 'Name the one that runs.',
    });
  }
  const config = await get(`blobs/${parsed.data.config.digest}`);
  if (!config.ok) throw refusal(config, host, `for the configuration of ${name}@${digest}`);
  return configSchema.parse(await config.json()).config?.Labels ?? {};
}

/**
 * Begins an upload and takes it back, as the only way to know whether we may push; nothing is left.
 *
 * @param name of an image, without tag
 * @throws SystemError when we may not
 */
export async function tryPush(access: RegistryAccess, name: string): Promise<void> {
  const { host, root } = placeOf(access, name);
  const url = `${root}/blobs/uploads/`;
  const begun = await ask(access, host, url, { method: 'POST' });
  if (!begun.ok) throw refusal(begun, host, `to a push of ${name}`);
  const upload = begun.headers.get('location');
  // Registries forget an unfinished upload by themselves: when it cannot be taken back, nothing is lost.
  if (upload !== null) await ask(access, host, new URL(upload, url).href, { method: 'DELETE' });
}

function placeOf({ insecure }: RegistryAccess, name: string): { host: string; root: string } {
  const [host = '', ...path] = name.split('/');
  return { host, root: `${insecure ? 'http' : 'https'}://${host}/v2/${path.join('/')}` };
}

/** Asks, and once more with the login or a token when the registry wants one. */
async function ask(access: RegistryAccess, host: string, url: string, request: Request): Promise<Response> {
  const answer = await reach(url, request);
  if (answer.status !== 401) return answer;
  // A login is for its own registry only.
  const login = host === access.host ? access.login : undefined;
  const authorization = await authorize(answer.headers.get('www-authenticate') ?? '', login);
  return reach(url, { ...request, headers: { ...request.headers, authorization } });
}

async function reach(url: string, request: Request): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const why = rootCause(error);
    const plain = /wrong version number|packet length too long/i.test(why)
      ? 'If it speaks plain HTTP: registry.insecure: true.'
      : undefined;
    throw new SystemError(`The registry ${new URL(url).host} did not answer: ${why}.`, {
      advice: certificateAdvice(error, 'registry.caFile') ?? plain ?? 'See registry in gitops.yaml.',
      unreachable: true,
      cause: error,
    });
  }
}

const refusal = ({ status }: Response, host: string, what: string): SystemError =>
  new SystemError(`The registry ${host} answered ${status} ${what}.`, {
    advice: [401, 403].includes(status)
      ? 'Check registry.login in gitops.yaml, and what that account may do there.'
      : 'See registry in gitops.yaml.',
  });

/** Basic, or a token of the server that the challenge names. @see https://distribution.github.io/distribution/spec/auth/token/ */
async function authorize(challenge: string, login: RegistryAccess['login']): Promise<string> {
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  if (/^basic/i.test(challenge)) {
    if (basic !== undefined) return basic;
    throw new SystemError('The registry wants a login.', { advice: 'Set registry.login in gitops.yaml.' });
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
  const answer = await reach(url.href, basic === undefined ? {} : { headers: { authorization: basic } });
  if (!answer.ok) throw refusal(answer, url.host, 'when asked for a token');
  const { token, access_token: accessToken } = tokenSchema.parse(await answer.json());
  return `Bearer ${token ?? accessToken ?? ''}`;
}
