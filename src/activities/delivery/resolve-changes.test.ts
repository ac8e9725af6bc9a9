import { beforeEach, describe, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { createResolveChanges } from './resolve-changes.ts';

let disk: DiskRepository;
let first: string;
let resolve: (input: { since?: string; until?: string; service?: string }) => Promise<string[]>;
let again: boolean[];

beforeEach(async () => {
  disk = await makeDiskRepository({
    'services/orders/Dockerfile': 'FROM scratch\n',
    'services/web/Dockerfile': 'FROM scratch\n',
    'libs/money.ts': '1\n',
  });
  first = await head();
  const services = { discover: ['services/*'], shared: ['libs/**'], ignore: ['**/*.md', '**/docs/**'] };
  const activities = createResolveChanges({
    config: configuration({ services }),
    repository: disk.repository,
    sourceOf: () => disk.repository,
  });
  resolve = async (input) => {
    const found = await activities.resolveChanges(input);
    again = found.map((one) => one.again ?? false);
    return found.map(({ change: { service, commit } }) => `${service} ${commit}`);
  };
  return () => disk.remove();
});

const head = () => disk.git('rev-parse', 'HEAD');
const orders = (text: string) => ({ 'services/orders/main.ts': `${text}\n` });
const web = (text: string) => ({ 'services/web/main.ts': `${text}\n` });

/** As `git push --force` of a branch that was set to another commit. */
async function force(): Promise<string> {
  await disk.git('push', '-q', '--force', 'origin', 'main');
  return head();
}

const refusal = (message: string | RegExp) => ({
  type: 'Refused',
  nonRetryable: true,
  message: expect.stringMatching(message) as string,
});

describe('since a commit of the branch', () => {
  test('each service that has changed is delivered, at the newest commit that changed it', async () => {
    await disk.commit('one', { ...orders('1'), ...web('1') });
    const newest = await disk.commit('two', orders('2'));
    const tip = await disk.commit('three', web('2'));
    await disk.commit('four', { 'README.md': 'x\n' });
    expect(await resolve({ since: first })).toEqual([`orders ${newest}`, `web ${tip}`]);
    expect(await resolve({ since: newest })).toEqual([`web ${tip}`]);
    expect(await resolve({ since: first, until: newest })).toEqual([
      `orders ${newest}`,
      expect.stringMatching(/^web /),
    ]);
    expect(again).toEqual([false, false]);
  });

  test('nothing is delivered where nothing has changed: since the tip, or by a revert', async () => {
    expect(await resolve({ since: first })).toEqual([]);
    await disk.commit('one', orders('1'));
    await disk.git('revert', '--no-edit', 'HEAD');
    await disk.git('push', '-q', 'origin', 'main');
    expect(await resolve({ since: first })).toEqual([]);
  });

  test('what is in a merged branch comes by its merge', async () => {
    await disk.git('checkout', '-q', '-b', 'feature');
    await disk.commit('side', orders('1'));
    await disk.git('checkout', '-q', 'main');
    await disk.git('merge', '-q', '--no-ff', '-m', 'Merge feature', 'feature');
    expect(await resolve({ since: first, until: await force() })).toEqual([`orders ${await head()}`]);
  });

  test('a file that moved from one service to another is a change of both', async () => {
    const since = await disk.commit('one', { 'services/web/shared.ts': 'the same text\n'.repeat(20) });
    await disk.git('mv', 'services/web/shared.ts', 'services/orders/shared.ts');
    const tip = await disk.commit('move', {});
    expect(await resolve({ since })).toEqual([`orders ${tip}`, `web ${tip}`]);
  });

  test('it may be more than 500 commits ago', async () => {
    const [since, own] = [await disk.commit('start', web('0')), await disk.commit('own', orders('1'))];
    const commits = Array.from({ length: 1100 }, (_, index) =>
      [
        'commit refs/heads/main',
        'committer Dev <dev@example.com> 1767225600 +0000',
        'data 1\nx',
        ...(index === 0 ? [`from ${own}`] : []),
        'M 100644 inline notes.txt',
        `data ${String(index).length}\n${index}\n`,
      ].join('\n'),
    );
    await disk.fastImport(commits.join('\n'));
    await disk.git('reset', '-q', '--hard', 'main');
    await force();
    expect(await resolve({ since })).toEqual([`orders ${own}`]);
    expect(again).toEqual([false]);
  });

  test('paths that are ignored change no service, unless another one comes with them', async () => {
    await disk.commit('words', { 'services/orders/README.md': 'x\n', 'services/web/docs/.how.md': 'x\n' });
    expect(await resolve({ since: first })).toEqual([]);
    const tip = await disk.commit('both', { 'services/orders/README.md': 'y\n', ...orders('1') });
    expect(await resolve({ since: first })).toEqual([`orders ${tip}`]);
  });

  test('what promotions write changes no service', async () => {
    await disk.commit('release', { 'manifests/orders/overlays/dev/release/kustomization.yaml': '{}\n' });
    expect(await resolve({ since: first })).toEqual([]);
  });
});

test('what people write where no promotion does is a change, whatever the folder is called', async () => {
  const tip = await disk.commit('sneaked in', {
    'services/orders/overlays/dev/release/main.ts': '1\n',
    'manifests/web/overlays/common/release/patch.yaml': '{}\n',
  });
  expect(await resolve({ since: first })).toEqual([`orders ${tip}`, `web ${tip}`]);
});

test('a folder of the manifests that never was a service is not removed like one', async () => {
  await disk.commit('more', { 'manifests/shared/notes.yaml': '{}\n' });
  const since = await head();
  await disk.git('rm', '-r', '-q', 'manifests/shared');
  const gone = await disk.commit('gone', {});
  expect(await resolve({ since })).toEqual([]);
  await expect(resolve({ service: 'shared', until: gone })).rejects.toMatchObject(
    refusal('^There is no service shared\\.'),
  );
});

describe('since a commit that somebody took off the branch', () => {
  test('a service that went with it is not left running without a word', async () => {
    const since = await disk.commit('new service', {
      'services/new/Dockerfile': 'FROM scratch\n',
      'manifests/new/overlays/dev/kustomization.yaml': 'resources: [release]\n',
    });
    await disk.repository.tip();
    await disk.git('reset', '-q', '--hard', first);
    await force();
    await expect(resolve({ since })).rejects.toMatchObject(
      refusal(`^new has its manifests at ${since} and none at ${first}, .* bring manifests/new back`),
    );
  });

  test('what came in its place is delivered, also when it holds the same', async () => {
    const since = await disk.commit('two', orders('1'));
    expect(await disk.repository.tip()).toBe(since);
    await disk.git('commit', '-q', '--amend', '-m', 'two, better');
    const tip = await force();
    expect(await resolve({ since })).toEqual([`orders ${tip}`]);
    expect(again).toEqual([true]);
  });

  test('what is undone is delivered at the tip: the branch was set back, or a commit dropped', async () => {
    const dropped = await disk.commit('one', web('1'));
    const since = await disk.commit('two', orders('1'));
    await disk.repository.tip();
    await disk.git('reset', '-q', '--hard', dropped);
    await force();
    expect(await resolve({ since })).toEqual([`orders ${dropped}`]);
    expect(again).toEqual([true]);

    await disk.git('reset', '-q', '--hard', first);
    await disk.git('checkout', '-q', since, '--', 'services/orders');
    await disk.git('commit', '-q', '-m', 'instead');
    const tip = await force();
    expect(await resolve({ since: dropped })).toEqual([`orders ${tip}`, `web ${tip}`]);
  });

  test('and which the forge does not hand out any more, nobody can say what changed', async () => {
    const since = await disk.commit('two', orders('1'));
    await disk.git('reset', '-q', '--hard', first);
    await force();
    await disk.git('--git-dir', await disk.git('remote', 'get-url', 'origin'), 'gc', '-q', '--prune=now');
    await expect(resolve({ since })).rejects.toMatchObject(
      refusal(`^${since} is not in the repository, or not any more .* gitops deliver --all; .*${first}$`),
    );
    await expect(resolve({ since: 'f'.repeat(40) })).rejects.toMatchObject(
      refusal('is not in the repository'),
    );
  });
});

test('where a merge put the branch’s own line aside, what is new is delivered', async () => {
  await disk.git('checkout', '-q', '-b', 'dev2');
  await disk.commit('local', { 'services/orders/local': '1\n' });
  await disk.git('checkout', '-q', 'main');
  const since = await disk.commit('remote', {
    'services/web/remote': '1\n',
    'services/orders/remote': '1\n',
  });
  await disk.git('checkout', '-q', 'dev2');
  await disk.git('merge', '-q', '-m', "Merge branch 'main' of origin", 'main');
  await disk.git('checkout', '-q', 'main');
  await disk.git('merge', '-q', '--ff-only', 'dev2');
  const tip = await force();
  expect(await disk.repository.position(since)).toBeUndefined();
  expect(await resolve({ since })).toEqual([`orders ${tip}`]);
  expect(again).toEqual([false]);
});

test('of a new branch everything is delivered, each service at the newest commit that changed it', async () => {
  const tip = await disk.commit('two', orders('1'));
  expect(await resolve({ since: '0'.repeat(40) })).toEqual([`orders ${tip}`, `web ${first}`]);
});

test('without a beginning every service is delivered, at the tip or at a commit of the branch', async () => {
  const tip = await disk.commit('two', orders('1'));
  expect(await resolve({})).toEqual([`orders ${tip}`, `web ${tip}`]);
  expect(await resolve({ until: first })).toEqual([`orders ${first}`, `web ${first}`]);
});

test('a service or a commit that is not there is refused', async () => {
  await disk.git('checkout', '-q', '-b', 'feature');
  const side = await disk.commit('side', orders('1'));
  expect(await resolve({ service: 'web', until: first })).toEqual([`web ${first}`]);
  for (const until of [side, 'f'.repeat(40)]) {
    for (const rest of [{}, { service: 'web' }, { since: first }]) {
      await expect(resolve({ ...rest, until })).rejects.toMatchObject(
        refusal(`^${until} is not on main\\. Merge it first; only commits of main are delivered\\.$`),
      );
    }
  }
  await expect(resolve({ service: 'order', until: first })).rejects.toMatchObject(
    refusal('^There is no service order\\. There are: orders, web\\. See services in gitops\\.yaml\\.$'),
  );
});
