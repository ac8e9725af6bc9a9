import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { builder } from './builder.ts';
import type { World } from './world.ts';

afterEach(() => vi.unstubAllEnvs());

/** What is found where that version of buildah is, of a service with that Dockerfile. */
async function found(version: string | undefined, dockerfile: string) {
  const folder = mkdtempSync(join(tmpdir(), 'buildah-'));
  if (version !== undefined) {
    writeFileSync(
      join(folder, 'buildah'),
      `#!/bin/sh\necho "buildah version ${version} (image-spec 1.1.0)"\n`,
    );
    chmodSync(join(folder, 'buildah'), 0o755);
  }
  vi.stubEnv('PATH', version === undefined ? folder : [folder, process.env['PATH']].join(delimiter));
  const files = { 'services/claims/Dockerfile': dockerfile };
  const tree = async () => ({ files: Object.keys(files), read: async () => dockerfile });
  return Array.fromAsync(builder.look({ config: configuration(), tree } as unknown as World));
}

test('a builder that is too old for a Dockerfile is told, with the version that is needed', async () => {
  expect(await found('1.28.2', 'FROM scratch\nRUN <<EOF\nEOF\nCOPY --link a /b\n')).toEqual([
    {
      name: 'builder',
      state: 'warning',
      detail:
        'services/claims/Dockerfile has here-documents (RUN <<EOF), which buildah knows from 1.33.0 on. Here is 1.28.2.',
      remedy: 'Have that version where the queue build is served, or write it without.',
    },
    expect.objectContaining({ detail: expect.stringMatching(/COPY --link, .* from 1\.41\.0 on/) as string }),
  ]);
});

test.each([
  ['1.41.0', 'COPY --link a /b\n'],
  ['1.100.0', 'RUN <<EOF\nEOF\n'],
  ['1.28.2', 'COPY a /b\n'],
])('buildah %s knows %j', async (version, dockerfile) => {
  expect(await found(version, dockerfile)).toEqual([
    {
      name: 'builder',
      state: 'ok',
      detail: `buildah ${version} knows what the Dockerfiles are written in.`,
    },
  ]);
});

test('without a builder it is said what cannot be looked at, and nothing where nothing is needed', async () => {
  expect(await found(undefined, 'RUN <<EOF\nEOF\n')).toEqual([
    expect.objectContaining({
      state: 'warning',
      detail: expect.stringMatching(/There is no buildah here to look at\.$/) as string,
    }),
  ]);
  expect(await found(undefined, 'COPY a /b\n')).toEqual([]);
});
