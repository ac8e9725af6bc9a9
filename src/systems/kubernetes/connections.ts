import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';

/**
 * Authenticates requests, which share their connections for as long as the credentials stay the same. The library gives
 * each request a dispatcher of its own, so each would begin with a handshake that takes longer than the request itself,
 * and leave a socket behind.
 */
export function sharingConnections(config: KubeConfig): (request: RequestContext) => Promise<void> {
  let shared: { tls: unknown; dispatcher: ReturnType<RequestContext['getDispatcher']> } | undefined;

  return async (request) => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    // Tokens go with each request; what the connection was made with is the rest.
    const { agent: _, headers: __, ...tls } = options;
    await config.applySecurityAuthentication(request);
    if (!shared || !isDeepStrictEqual(shared.tls, tls)) {
      // The one before closes its connections once they are idle.
      shared = { tls, dispatcher: request.getDispatcher() };
    }
    if (shared.dispatcher) request.setDispatcher(shared.dispatcher);
  };
}
