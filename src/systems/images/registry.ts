import { z } from 'zod';
import type { Image } from '../../model/delivery/change.ts';
import { imagePlace } from '../../model/image-name.ts';
import { shownWords, sortAnswer, type AnswerKind } from '../network/answers.ts';
import { certificateAdvice } from '../network/certificates.ts';
import { rootCause } from '../system-error.ts';
import { RegistryError } from './index.ts';

export interface RegistryAccess {
  /** `registry.example:5000`; `docker.io` for Docker Hub. */
  host: string;
  /** Plain HTTP. */
  insecure: boolean;
  /** The password is read whenever it is needed, so it may be renewed. */
  login?: { username: string; password: () => string };
  caFile?: string;
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  // One digest for several platforms, or for an image with what its builder attests.
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const manifestSchema = z.object({ config: z.object({ digest: z.string() }) });
const indexSchema = z.object({
  manifests: z.array(
    z.object({
      digest: z.string(),
      platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
    }),
  ),
});
const configSchema = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).optional(),
});
const tokenSchema = z
  .object({ token: z.string().nullish(), access_token: z.string().nullish() })
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

/** More platforms than anybody builds for. */
const mostPlatforms = 20;
const revisionLabel = 'org.opencontainers.image.revision';

/**
 * Labels of an image, by the registry's HTTP API (OCI distribution 1.1). Of an index, those that the images of all its
 * platforms have.
 *
 * @returns undefined when the registry does not have it
 * @throws RegistryError when it answers anything but yes or no, or the platforms are of different revisions
 */
export async function readLabels(
  access: RegistryAccess,
  image: Image,
): Promise<Record<string, string> | undefined> {
  const found = await readManifest(access, image);
  if (found === undefined) return undefined;
  const labelsOf = async (manifest: unknown) => {
    const { success, data } = manifestSchema.safeParse(manifest);
    return success ? labelsIn(access, image, data.config.digest) : undefined;
  };
  const labels = await labelsOf(found);
  if (labels) return labels;

  const index = indexSchema.safeParse(found);
  const platforms = index.success ? index.data.manifests.filter(isImage) : [];
  if (platforms.length === 0 || platforms.length > mostPlatforms) {
    throw new RegistryError('invalid', `${image.name}@${image.digest} is no image.`, {
      advice: 'Name one by its digest.',
    });
  }
  const all = await Promise.all(
    platforms.map(async ({ digest, platform }) => ({
      platform: platform ? `${platform.os}/${platform.architecture}` : digest,
      labels: (await labelsOf(await readManifest(access, { ...image, digest }))) ?? {},
    })),
  );
  if (new Set(all.map((one) => one.labels[revisionLabel])).size > 1) {
    const revisions = all.map((one) => `${one.platform} ${one.labels[revisionLabel] ?? '(none)'}`);
    throw new RegistryError(
      'invalid',
      `${image.name}@${image.digest} has several platforms, labelled as different revisions: ${revisions.join(', ')}.`,
      { advice: `Build them all with the same label ${revisionLabel}.` },
    );
  }
  return Object.fromEntries(
    Object.entries(all[0]?.labels ?? {}).filter(([key, value]) =>
      all.every((one) => one.labels[key] === value),
    ),
  );
}

/** What a builder attests of an image stands beside it, as one for no platform. */
const isImage = ({ platform }: { platform?: { os: string; architecture: string } | undefined }): boolean =>
  platform?.os !== 'unknown' || platform.architecture !== 'unknown';

async function readManifest(access: RegistryAccess, { name, digest }: Image): Promise<unknown> {
  const { host, root, scope } = placeOf(access, name);
  const headers = { accept: manifestTypes.join(', ') };
  const answer = await ask(access, `${root}/manifests/${digest}`, `${scope}:pull`, { headers });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw await refusal(answer, host, `for ${name}@${digest}`);
  return json(answer, host);
}

async function labelsIn(
  access: RegistryAccess,
  { name, digest }: Image,
  config: string,
): Promise<Record<string, string>> {
  const { host, root, scope } = placeOf(access, name);
  const answer = await ask(access, `${root}/blobs/${config}`, `${scope}:pull`, {});
  if (!answer.ok) throw await refusal(answer, host, `for the configuration of ${name}@${digest}`);
  return configSchema.parse(await json(answer, host)).config?.Labels ?? {};
}

/**
 * Begins an upload and takes it back, as the only way to know whether we may push; nothing is left.
 *
 * @param name of an image, without tag
 * @throws RegistryError when we may not
 */
export async function tryPush(access: RegistryAccess, name: string): Promise<void> {
  const { host, root, scope } = placeOf(access, name);
  const url = `${root}/blobs/uploads/`;
  const begun = await ask(access, url, `${scope}:pull,push`, { method: 'POST' });
  if (!begun.ok) throw await refusal(begun, host, `to a push of ${name}`);
  const upload = begun.headers.get('location');
  // Registries forget an unfinished upload by themselves: when it cannot be taken back, nothing is lost.
  if (upload !== null) {
    await ask(access, new URL(upload, url).href, `${scope}:pull,push`, { method: 'DELETE' });
  }
}

/** Docker Hub's API answers at a host of its own. */
const apiHosts: Record<string, string> = { 'docker.io': 'registry-1.docker.io' };

const apiOf = ({ insecure }: RegistryAccess, host: string): string =>
  `${insecure ? 'http' : 'https'}://${apiHosts[host] ?? host}/v2`;

/** @returns `root` of an image's URLs, and the `scope` of a token for it, but for what may be done */
function placeOf(access: RegistryAccess, name: string): { host: string; root: string; scope: string } {
  const { host, path } = imagePlace(name);
  return { host, root: `${apiOf(access, host)}/${path}`, scope: `repository:${path}` };
}

/**
 * Asks, and once more with the login or a token when the registry wants one.
 *
 * @param scope what a token has to allow, where the registry does not say it itself
 */
async function ask(access: RegistryAccess, url: string, scope: string, request: Request): Promise<Response> {
  const answer = await reach(url, request);
  if (answer.status !== 401) return answer;
  // A login is for its own registry only.
  const isOwn = new URL(url).origin === new URL(apiOf(access, access.host)).origin;
  const challenges = answer.headers.get('www-authenticate') ?? '';
  const authorization = await authorize(challenges, isOwn ? access.login : undefined, scope);
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
    retryAfterMs,
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

/**
 * A token of the server that the registry names, or else Basic.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
async function authorize(
  header: string,
  login: RegistryAccess['login'],
  neededScope: string,
): Promise<string> {
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password()}`).toString('base64')}`;
  const challenges = challengesIn(header);
  const wantsToken = challenges.find(({ scheme }) => scheme === 'bearer');
  if (!wantsToken && challenges.some(({ scheme }) => scheme === 'basic')) {
    if (basic !== undefined) return basic;
    throw new RegistryError('auth', 'The registry wants a login.', {
      advice: 'Set registry.login in gitops.yaml.',
    });
  }
  const named = challengeSchema.safeParse(wantsToken?.fields);
  if (!named.success) {
    throw new RegistryError('auth', `The registry wants a login of an unknown kind: ${shownWords(header)}.`, {
      advice: 'See registry in gitops.yaml.',
    });
  }
  const { realm, service, scope = neededScope } = named.data;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scope.split(' ').filter(Boolean)) url.searchParams.append('scope', one);
  const answer = await reach(url.href, basic === undefined ? {} : { headers: { authorization: basic } });
  if (!answer.ok) throw await refusal(answer, url.host, 'when asked for a token');
  return `Bearer ${tokenSchema.parse(await json(answer, url.host))}`;
}

/** Several may stand in one header: `Bearer realm="https://…",service="…", Basic realm="…"` (RFC 9110, 11.6.1). */
function challengesIn(header: string): { scheme: string; fields: Record<string, string> }[] {
  const challenges: { scheme: string; fields: Record<string, string> }[] = [];
  const words = header.matchAll(/([A-Za-z][\w-]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?/g);
  for (const [, name = '', value] of words) {
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), fields: {} });
    else {
      const text = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
      Object.assign(challenges.at(-1)?.fields ?? {}, { [name.toLowerCase()]: text });
    }
  }
  return challenges;
}
