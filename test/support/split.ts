import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { makeGiteaRepository, type GiteaRepository } from './gitea.ts';
import { openPlatform, platformName, type Platform } from './platform.ts';

const folder = fileURLToPath(new URL('../../examples/split/', import.meta.url));

/** `examples/split` on the stack, but for names that others have beside it: `gitea` is the manifests' repository. */
export async function makeSplit(patience: number): Promise<{ platform: Platform; hours: GiteaRepository }> {
  const name = platformName();
  const renamed = (text: string) => text.replaceAll('counter', name);
  const files = filesIn('manifests', (text, path) => (path.endsWith('.yaml') ? renamed(text) : text));
  const gitea = await makeGiteaRepository(files);
  const hours = await makeGiteaRepository(filesIn('hours', (text) => text));
  const urlOf = (one: GiteaRepository) => `${one.url}/${one.owner}/${one.name}.git`;
  process.env['TEST_SOURCE_TOKEN'] = hours.token('bot');
  const { forge, people, ...others } = parse(files['gitops.yaml'] ?? '') as Record<string, object>;
  const writes = (one: GiteaRepository) => ({ emails: [`${one.login('developer')}@example.com`] });
  const configuration = {
    ...others,
    repository: { url: urlOf(gitea), token: 'env:TEST_FORGE_TOKEN' },
    forge: {
      ...{
        ...forge,
        url: gitea.url,
        token: 'env:TEST_FORGE_TOKEN',
        webhookSecret: 'env:TEST_WEBHOOK_SECRET',
      },
    },
    services: {
      explicit: {
        hours: { path: '.', source: { repository: urlOf(hours), token: 'env:TEST_SOURCE_TOKEN' } },
      },
    },
    people: { ...people, developer: writes(hours), operator: writes(gitea) },
  };
  const inArgocd = (files['argocd/counter.yaml'] ?? '').replaceAll(
    /http:\S+\/developer\/[\w-]+\.git/g,
    urlOf(gitea),
  );
  const platform = await openPlatform({ name, gitea, configuration, patience }, () =>
    parseAllDocuments(inArgocd).map((document) => document.toJS() as object),
  );
  const remove = async () => void (await Promise.all([platform.remove(), hours.remove()]));
  return { platform: { ...platform, remove }, hours };
}

function filesIn(name: string, edit: (text: string, path: string) => string): Record<string, string> {
  const root = join(folder, name);
  return Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = relative(root, join(entry.parentPath, entry.name));
        return [path, edit(readFileSync(join(root, path), 'utf8'), path)];
      }),
  );
}
