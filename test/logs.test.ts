import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bin } from './support/cli.ts';
import { startOutside, type Outside } from './support/outside.ts';
import { makePlatform, type Platform } from './support/platform.ts';

/** Where a test goes on for as long as something outside is away. */
let platform: Platform;
let outside: Outside;

/** A test begins within it, and a delivery to one environment ends. */
const patience = 120_000;

beforeAll(async () => {
  outside = await startOutside();
  outside.is('/', 'failing');
  const script = `echo begun; until curl --fail --silent ${outside.url}/; do sleep 1; done; echo; echo ended`;
  const dev = {
    name: 'dev',
    application: `${randomUUID().slice(0, 8)}-{service}-{environment}`,
    entersBy: 'push',
  };
  const services = { discover: ['services/*'], test: ['sh', '-c', script] };
  platform = await makePlatform(['claims'], { services, environments: [dev] }, patience);
  await platform.worker.start();
}, 120_000);

afterAll(async () => {
  await platform.remove();
  outside.close();
}, 60_000);

/** Follows as a shell does. */
function follow(change: string) {
  const child = execa(process.execPath, [bin, 'logs', change, '--follow'], {
    env: platform.env,
    reject: false,
    timeout: 3 * patience,
    stdin: 'ignore',
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  return { child, says: (text: RegExp) => expect.poll(() => said, { timeout: patience }).toMatch(text) };
}

test(
  'what a step writes is printed while it runs; Ctrl-C ends that, and so does the end of the delivery',
  async () => {
    const commit = await platform.commit('claims');
    const { change } = await platform.gitops.deliver({ service: 'claims', commit });
    const begun = /^==> claims\/[0-9a-f]{10} test: attempt 1 of [0-9a-f]{8}, .* <==\nbegun\n$/;
    const [first, second] = [follow(change), follow(change)];
    await first.says(begun);
    await second.says(begun);

    first.child.kill('SIGINT');
    expect(await first.child).toMatchObject({
      exitCode: 130,
      stderr: expect.stringMatching(/^Stopped following\. The delivery goes on; look again: gitops logs /),
    });

    outside.is('/', 'working');
    const { stdout, exitCode } = await second.child;
    expect(stdout.match(/begun|working|ended|^==> .* build/gm)).toEqual([
      'begun',
      'working',
      'ended',
      `==> claims/${commit.slice(0, 10)} build`,
    ]);
    expect(exitCode).toBe(0);
  },
  // Each of them begins, and the delivery ends.
  4 * patience,
);
