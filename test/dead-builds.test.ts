import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildahIn, clearDeadBuilds, localName } from '../src/systems/images/build-store.ts';

const patience = 120_000;

/** What the workers of a platform share on a machine. */
let directory: string;
let context: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gitops-builds-'));
  context = mkdtempSync(join(tmpdir(), 'gitops-context-'));
  writeFileSync(join(context, 'Dockerfile'), 'FROM debian:bookworm-slim\nRUN sleep 600\n');
});

afterAll(() => {
  for (const folder of [directory, context]) rmSync(folder, { recursive: true, force: true });
});

/** A process that builds an image which takes long, as a worker does. */
function startBuild() {
  const buildah = fileURLToPath(new URL('../src/systems/images/buildah.ts', import.meta.url));
  const script = `
    import { createBuildah } from ${JSON.stringify(buildah)};
    const images = createBuildah({
      directory: ${JSON.stringify(directory)},
      registry: { host: 'localhost:5000', insecure: true },
    });
    await images.tryBuild({
      context: ${JSON.stringify(context)},
      dockerfile: ${JSON.stringify(join(context, 'Dockerfile'))},
      timeoutMs: 600_000,
      signal: new AbortController().signal,
      onOutput: () => undefined,
    });`;
  const child = execa(process.execPath, ['--input-type=module', '-e', script], { reject: false });
  return {
    async kill() {
      child.kill('SIGKILL');
      await child;
    },
  };
}

async function buildah(...args: string[]): Promise<string> {
  const [program, ...before] = buildahIn(directory);
  return (await execa(program, [...before, ...args])).stdout;
}

const containers = async () => (await buildah('containers', '--quiet')).split('\n').filter(Boolean);
const images = async () => buildah('images', '--format', '{{.Name}}:{{.Tag}}');

const untilThereAre = (count: number) =>
  vi.waitFor(async () => expect(await containers()).toHaveLength(count), { timeout: 60_000, interval: 200 });

test(
  'what a killed build left is removed when a worker starts, and a build of another worker goes on',
  async () => {
    const killed = startBuild();
    await untilThereAre(1);
    const [dead] = await containers();
    await killed.kill();
    // One that was killed when it had built and not pushed.
    const built = localName('localhost:5000/claims', 'a'.repeat(40), join(directory, 'builds/1-1-abcdef'));
    await buildah('commit', await buildah('from', 'scratch'), built);
    expect(await images()).toContain(built);

    const other = startBuild();
    try {
      await untilThereAre(3);
      await clearDeadBuilds(directory);
      const left = await containers();
      expect(left).toHaveLength(1);
      expect(left).not.toContain(dead);
      expect(await images()).not.toContain(built);
      expect(readdirSync(join(directory, 'builds'))).toHaveLength(1);
    } finally {
      await other.kill();
    }
    await clearDeadBuilds(directory);
    expect(await containers()).toEqual([]);
    expect(readdirSync(join(directory, 'builds'))).toEqual([]);
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  },
  patience,
);
