import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { makeGiteaRepository } from './gitea.ts';
import { openPlatform, platformName, type Platform } from './platform.ts';

const folder = fileURLToPath(new URL('../../examples/parcels/', import.meta.url));

/** `examples/parcels` on the stack, as its README sets it up, but for names that others have beside it. */
export async function makeParcels(patience: number): Promise<Platform> {
  const name = platformName();
  // The range of NodePorts; the example's own may be taken by somebody who tries it.
  const port = 30_600 + (Number.parseInt(name.slice(1), 16) % 2000);
  const renamed = (text: string) => text.replaceAll('parcels', name).replaceAll('30511', `${port}`);
  const files = Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      // The forge begins a repository with a README of its own.
      .filter((entry) => entry.isFile() && entry.name !== 'README.md')
      .map(({ parentPath, name: file }) => {
        const path = join(parentPath, file);
        const text = readFileSync(path, 'utf8');
        return [relative(folder, path), file.endsWith('.yaml') ? renamed(text) : text];
      }),
  );
  const gitea = await makeGiteaRepository(files);
  const { owner, url } = gitea;
  const repository = `${url}/${owner}/${gitea.name}.git`;
  const { forge, people, ...others } = parse(files['gitops.yaml'] ?? '') as Record<string, object>;
  const configuration = {
    ...others,
    repository: { url: repository, token: 'env:TEST_FORGE_TOKEN' },
    forge: { ...forge, url, token: 'env:TEST_FORGE_TOKEN', webhookSecret: 'env:TEST_WEBHOOK_SECRET' },
    people: {
      ...people,
      developer: { forge: gitea.login('developer'), emails: [`${gitea.login('developer')}@example.com`] },
    },
  };
  const inArgocd = (files['argocd/parcels.yaml'] ?? '').replaceAll(
    /http:\S+\/developer\/\w+\.git/g,
    repository,
  );
  return openPlatform({ name, gitea, configuration, patience }, () =>
    parseAllDocuments(inArgocd).map((document) => document.toJS() as object),
  );
}
