import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { wrongBuildOptions } from './build-options.ts';
import { overrideArguments } from './overrides.ts';
import { checkReferences } from './references.ts';
import { KustomizeError, type Rendering } from './index.ts';

/** A service's manifests are some kilobytes; more than this would hold up the worker while it is parsed. */
const maxBytes = 4_000_000;
/** Thousands of resources take seconds. */
const timeoutMs = 60_000;

/**
 * Renders a kustomization to YAML as Argo CD does, from the files alone: nothing is fetched and no program is run.
 *
 * @throws KustomizeError when it cannot be rendered, or not without reaching out
 */
export async function build(
  { root, path, options = [], overrides = {} }: Rendering,
  signal: AbortSignal,
): Promise<string> {
  const wrong = wrongBuildOptions(options);
  if (wrong !== undefined) throw new KustomizeError(`${wrong}. Remove it from that ConfigMap.`);
  // Before anything is written into its files, and of what that brought in.
  await checkReferences(root, path);
  for (const args of overrideArguments(overrides)) await kustomize(join(root, path), args, signal);
  await checkReferences(root, path);
  return kustomize(root, ['build', path, ...options], signal);
}

async function kustomize(cwd: string, args: string[], signal: AbortSignal): Promise<string> {
  const { stdout, failed, timedOut, isMaxBuffer, stderr, code } = await execa(await binary(), args, {
    cwd,
    // No PATH, so no git and no plugins; and a proxy that nobody answers.
    env: { PATH: '', HOME: cwd, HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' },
    extendEnv: false,
    timeout: timeoutMs,
    maxBuffer: maxBytes,
    cancelSignal: signal,
    stdin: 'ignore',
    stripFinalNewline: false,
    reject: false,
  });
  signal.throwIfAborted();
  if (timedOut) throw new KustomizeError(`kustomize ${args[0]} took longer than ${timeoutMs / 1000} s.`);
  if (isMaxBuffer) throw new KustomizeError(`The rendered manifests have more than ${maxBytes / 1e6} MB.`);
  if (failed) {
    const said = withoutQuotes(stderr || code || '').replaceAll(cwd, '.');
    throw new KustomizeError(`kustomize ${args[0]} failed: ${said.slice(-1000)}`);
  }
  return stdout;
}

/** It quotes a patch that it cannot read, which may be a Secret's. Its warnings are not what failed. */
const withoutQuotes = (said: string): string =>
  said
    .replace(/^# Warning:.*\n/gm, '')
    .replace(/`[^`]*`/g, '`…`')
    .replace(/( from \[)[^]*(\])/, '$1…$2')
    .replace(/\{.*\}/g, '{…}');

async function binary(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, 'kustomize');
    if (
      folder !== '' &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return file;
  }
  throw new Error('kustomize is not on the PATH of the worker. Install it, in the version that Argo CD has.');
}
