// Gitea: the forge. It refuses to be root, so it runs as nobody, in a mount namespace in which its files are within
// its reach wherever the checkout and the cache are.
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answersOk } from './answers.ts';
import { make, pathOf } from './artifacts.ts';
import { tools } from './binaries.ts';
import { writeConfig } from './files.ts';
import { bridge, ports, state } from './paths.ts';
import { ensure } from './processes.ts';
import { run } from './run.ts';
import { keepSecret, secret, storedSecret } from './secrets.ts';

export const forgeUrl = `http://${bridge.gateway}:${ports.forge}`;
/** Belongs to the stack alone; people's accounts are named by their role. */
const administrator = 'stack-admin';
const nobody = 65534;

const outside = join(state, 'gitea');
const inside = '/mnt/gitea';

export async function startGitea(): Promise<void> {
  const program = await make(tools.gitea);
  // Temporary folders, as which artifacts begin, are their owner's only.
  chmodSync(program, 0o755);
  mkdirSync(outside, { recursive: true });
  writeConfig(join(outside, 'app.ini'), settings());
  for (const file of ['', 'app.ini']) chownSync(join(outside, file), nobody, nobody);
  await ensure({
    name: 'gitea',
    command: confined('web', '--config', `${inside}/data/app.ini`),
    env: { USER: 'nobody', HOME: `${inside}/data` },
    ready: () => answersOk(`${forgeUrl}/api/healthz`),
  });
  await ensureAdministrator();
}

function confined(...args: string[]): [string, ...string[]] {
  const enter = `
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir -p ${inside}/data ${inside}/program
mount --bind "$1" ${inside}/data
mount --bind "$2" ${inside}/program
shift 2
exec setpriv --reuid=${nobody} --regid=${nobody} --clear-groups --no-new-privs ${inside}/program/gitea "$@"`;
  return ['unshare', '--mount', 'sh', '-ec', enter, 'gitea', outside, pathOf(tools.gitea), ...args];
}

async function ensureAdministrator(): Promise<void> {
  if (storedSecret('forge-admin.token') !== undefined) return;
  const [program, ...args] = confined(
    ...[
      'admin',
      'user',
      'create',
      '--admin',
      '--username',
      administrator,
      '--email',
      'stack-admin@example.com',
    ],
    ...['--password', secret('forge-admin-password'), '--must-change-password=false', '--access-token'],
    ...['--access-token-scopes', 'all', '--config', `${inside}/data/app.ini`],
  );
  const said = await run(program, args, { env: { USER: 'nobody', HOME: `${inside}/data` } });
  const [token] = /[0-9a-f]{40}/.exec(said) ?? [];
  if (token === undefined) throw new Error('Gitea made its administrator, but told no access token.');
  keepSecret('forge-admin.token', token);
}

/**
 * The queue in memory: on disk it is polled, which makes webhooks and checks for conflicts seconds late. Of secrets that are
 * not given here, Gitea makes some and adds them to this file, where the next start of the stack would drop them.
 */
const settings = (): string => `APP_NAME = Local forge
RUN_USER = nobody
WORK_PATH = ${inside}/data
[server]
HTTP_ADDR = ${bridge.gateway}
HTTP_PORT = ${ports.forge}
ROOT_URL = ${forgeUrl}/
STATIC_ROOT_PATH = ${inside}/program
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = ${inside}/data/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret('forge-secret-key')}
INTERNAL_TOKEN = ${secret('forge-internal-token')}
[oauth2]
ENABLED = false
[queue]
TYPE = channel
[webhook]
ALLOWED_HOST_LIST = loopback,private
[repository]
ROOT = ${inside}/data/repositories
[service]
DISABLE_REGISTRATION = true
[session]
PROVIDER = memory
[log]
LEVEL = Warn
`;
