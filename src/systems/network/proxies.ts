import http from 'node:http';

const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

/**
 * The proxies of this process's environment, for child processes that get one of their own. In capitals and in small
 * letters: curl, and so git, takes `http_proxy` only.
 */
export function proxyEnvironment(): Record<string, string> {
  const given = names.flatMap((name): [string, string][] => {
    const value = process.env[name.toLowerCase()] ?? process.env[name] ?? '';
    return value === '' ? [] : [[name, value]];
  });
  return Object.fromEntries(
    given.flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );
}

/** Lets `fetch` and every other request of this process go through them. */
export function useProxies(): void {
  const env = proxyEnvironment();
  if (Object.keys(env).length > 0) http.setGlobalProxyFromEnv(env);
}
