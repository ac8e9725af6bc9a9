import {
  type HttpMethod,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  PatchStrategy,
  RequestContext,
} from '@kubernetes/client-node';
import { isRecord, parseJson } from '../../model/json.ts';
import { rootCause } from '../system-error.ts';
import { sharingConnections } from './connections.ts';
import { isMissing, KubernetesError, type Kubernetes, type Query } from './index.ts';

/** Whom the API server notes for what was applied. */
const fieldManager = 'gitops';

/** Longer than any answer of a healthy API server takes, also for a page of a large list. */
const timeoutMs = 30_000;

/**
 * @param file by default `KUBECONFIG`, `~/.kube/config`, or the service account of the pod
 * @param context by default the file's current one
 * @throws KubernetesError 0 when it cannot be read
 */
export const createKubernetes = (file?: string, context?: string): Kubernetes =>
  kubernetesOf(load(file, context));

/** @param source where address and credentials are from, for whoever has to mend them */
export function kubernetesOf(config: KubeConfig, source?: string): Kubernetes {
  const authenticate = sharingConnections(config);
  const http = new IsomorphicFetchHttpLibrary();

  /** The connection may also break in the middle of the answer. */
  async function answerTo(context: RequestContext): Promise<{ status: number; text: string }> {
    const { httpStatusCode, body } = await http.send(context).toPromise();
    return { status: httpStatusCode, text: await body.text() };
  }

  async function request(
    method: HttpMethod,
    path: string,
    query: Query = {},
    body?: object,
    contentType: string = method === 'PATCH' ? PatchStrategy.MergePatch : 'application/json',
  ): Promise<string> {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new KubernetesError(0, 'No cluster is configured.');
    const context = new RequestContext(`${server}${path}`, method);
    for (const [key, value] of Object.entries(query)) context.setQueryParam(key, String(value));
    if (body) {
      context.setHeaderParam('Content-Type', contentType);
      context.setBody(JSON.stringify(body));
    }
    context.setSignal(AbortSignal.timeout(timeoutMs));
    await authenticate(context);
    const what = `${method} ${server}${path}`;
    const { status, text } = await answerTo(context).catch((error: unknown) => {
      throw new KubernetesError(0, `${what}: ${rootCause(error)}.`, source);
    });
    if (status >= 400) throw new KubernetesError(status, `${what}: ${status} ${messageOf(text)}.`, source);
    return text;
  }

  return {
    config,
    async get(path, query) {
      try {
        return JSON.parse(await request('GET', path, query));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    text: (path, query) => request('GET', path, query),
    post: async (path, body) => JSON.parse(await request('POST', path, {}, body)),
    put: async (path, body) => JSON.parse(await request('PUT', path, {}, body)),
    patch: async (path, body) => JSON.parse(await request('PATCH', path, {}, body)),
    apply: async (path, body) =>
      JSON.parse(
        await request('PATCH', path, { fieldManager, force: 'true' }, body, PatchStrategy.ServerSideApply),
      ),
    async delete(path, query, meant) {
      await request('DELETE', path, query, meant && { preconditions: meant }).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    },
  };
}

function load(file: string | undefined, context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
    if (context !== undefined) config.setCurrentContext(context);
    if (context !== undefined && !config.getCurrentCluster()) throw new Error(`it has no context ${context}`);
    return config;
  } catch (error) {
    throw new KubernetesError(0, `The kubeconfig cannot be read: ${rootCause(error)}.`);
  }
}

/** The message of a Kubernetes `Status`; else the beginning of what came, perhaps from a proxy before the API server. */
function messageOf(text: string): string {
  const status = parseJson(text);
  return isRecord(status) && 'message' in status ? String(status['message']) : text.slice(0, 300);
}
