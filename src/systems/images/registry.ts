import { z } from 'zod';
import type { Image } from '../../model/delivery/change.ts';
import { shownWords, sortAnswer, type AnswerKind } from '../network/answers.ts';
import { certificateAdvice } from '../network/certificates.ts';
import { rootCause } from '../system-error.ts';
import { RegistryError } from './index.ts';

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
const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .transform(({ token, access_token: accessToken }) => token ?? accessToken ?? '');
const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })),
});

const challengeSchema = z.object({
  realm: z.url(),
  service: z.string().optional(),
  scope: z.string().optional(),
});

const timeoutMs = 20_000;

interface Request {
  method?: string;
  headers?: Record<string, string>;
}

/**
 * Labels of an image, by the registry's HTTP API (OCI distribution 1.1).
 *
 * @returns undefined when the registry does not have it
 * @throws RegistryError when it answers anything but yes or no, or has several platforms under that digest
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
  if (!manifest.ok) throw await refusal(manifest, host, `for ${name}@${digest}`);
  const parsed = manifestSchema.safeParse(await json(manifest, host));
  if (!parsed.success) {
    throw new RegistryError('invalid', `${name}@${digest} is no image of one platform.`, {
      advice: 'Name the one that runs.',
    });
  }
  const config = await get(`blobs/${parsed.data.config.digest}`);
  if (!config.ok) throw await refusal(config, host, `for the configuration of ${name}@${digest}`);
  return configSchema.parse(await json(config, host)).config?.Labels ?? {};
}

/**
 * Begins an upload and takes it back, as the only way to know whether we may push; nothing is left.
 *
 * @param name of an image, without tag
 * @throws RegistryError when we may not
 */
export async function tryPush(access: RegistryAccess, name: string): Promise<void> {
  const { host, root } = placeOf(access, name);
  const url = `${root}/blobs/uploads/`;
  const begun = await ask(access, host, url, { method: 'POST' });
  if (!begun.ok) throw await refusal(begun, host, `to a push of ${name}`);
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
    throw new RegistryError('unavailable', `The registry ${new URL(url).host} did not answer: ${why}.`, {
      advice: certificateAdvice(error, 'registry.caFile') ?? plain ?? 'See registry in gitops.yaml.',
      unreachable: true,
      cause: error,
    });
  }
}

const advice: Partial<Record<AnswerKind, string>> = {
  auth: 'Check registry.login in gitops.yaml, and what that account may do there.',
  forbidden: 'Check registry.login in gitops.yaml, and what that account may do there.',
  'rate-limited': 'It is asked again later.',
  unavailable: 'It is asked again.',
};

async function refusal(answer: Response, host: string, what: string): Promise<RegistryError> {
  const { status, headers } = answer;
  const text = wordsOf(await answer.text().catch(() => ''));
  const { kind, retryAfterMs } = sortAnswer({
    status,
    text,
    header: (name) => headers.get(name) ?? undefined,
  });
  const words = shownWords(text).replace(/\.$/, '');
  return new RegistryError(kind, `The registry ${host} answered ${status} ${what}${words && `: ${words}`}.`, {
    advice: advice[kind] ?? 'See registry in gitops.yaml.',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Of what the specification of registries has them say, or of a proxy's page. */
function wordsOf(text: string): string {
  try {
    const { errors } = errorsSchema.parse(JSON.parse(text));
    return errors.map(({ code, message }) => message ?? code).join(', ');
  } catch {
    return text;
  }
}

/** Something else may answer in its place: a proxy, a page to log in. */
async function json(answer: Response, host: string): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    throw new RegistryError('unavailable', `${host} did not answer as a registry does.`, {
      advice: 'See registry in gitops.yaml.',
      cause: error,
    });
  }
}

/** Basic, or a token of the server that the challenge names. @see https://distribution.github.io/distribution/spec/auth/token/ */
async function authorize(challenge: string, login: RegistryAccess['login']): Promise<string> {
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  if (/^basic/i.test(challenge)) {
    if (basic !== undefined) return basic;
    throw new RegistryError('auth', 'The registry wants a login.', {
      advice: 'Set registry.login in gitops.yaml.',
    });
  }
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const named = challengeSchema.safeParse(fields);
  if (!named.success) {
    throw new RegistryError(
      'auth',
      `The registry wants a login of an unknown kind: ${shownWords(challenge)}.`,
      {
        advice: 'See registry in gitops.yaml.',
      },
    );
  }
  const { realm, service, scope } = named.data;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  const answer = await reach(url.href, basic === undefined ? {} : { headers: { authorization: basic } });
  if (!answer.ok) throw await refusal(answer, url.host, 'when asked for a token');
  return `Bearer ${tokenSchema.parse(await json(answer, url.host))}`;
}
