import type { AgentOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Cluster, KubeConfig, RequestContext } from '@kubernetes/client-node';

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;
/** Private to the library, as of version 2.0. */
interface Dispatching {
  createDispatcher(cluster: Cluster | null, options: AgentOptions): Dispatcher | undefined;
}

/**
 * Requests share their connections for as long as the credentials stay the same. The library makes a dispatcher for each
 * request, so each would begin with a handshake that takes longer than the request itself, and leave a socket behind.
 */
export function shareConnections(config: KubeConfig): void {
  const library = config as unknown as Dispatching;
  const create = library.createDispatcher.bind(config);
  let shared: { credentials: unknown; dispatcher: Dispatcher | undefined } | undefined;

  library.createDispatcher = (cluster, options) => {
    const credentials = [cluster, options];
    if (shared && isDeepStrictEqual(shared.credentials, credentials)) return shared.dispatcher;
    // The one before closes its connections once they are idle.
    shared = { credentials, dispatcher: create(cluster, options) };
    return shared.dispatcher;
  };
}
