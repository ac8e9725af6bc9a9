/** Docker Hub by whatever name: images without a host are its, too. */
const dockerHub = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * Where an image lies, of whatever spelling: `nginx` is `library/nginx` at `docker.io`.
 *
 * @param name without tag and digest
 */
export function imagePlace(name: string): { host: string; path: string } {
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const [host, path] = isHost ? [first, rest.join('/')] : ['docker.io', name];
  if (!dockerHub.has(host)) return { host, path };
  return { host: 'docker.io', path: path.includes('/') ? path : `library/${path}` };
}

/** The same for every spelling of an image's name: `docker.io/library/nginx`. */
export function canonicalName(name: string): string {
  const { host, path } = imagePlace(name);
  return `${host}/${path}`;
}
