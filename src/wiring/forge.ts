import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import { forgeRepository, type Forge } from '../systems/forge/index.ts';
import { createGiteaForge } from '../systems/forge/gitea.ts';
import { createGitHubForge } from '../systems/forge/github.ts';

const kinds = { gitea: createGiteaForge, github: createGitHubForge };

/** The forge of the configuration's repository. Its token is read anew for every request, so it may be renewed. */
export function createForge({ forge, repository }: Pick<Config, 'forge' | 'repository'>): Forge {
  if (forge.caFile !== undefined) trustCertificates(forge.caFile);
  const token = () => readSecret(forge.token);
  return kinds[forge.kind]({ url: forge.url, ...forgeRepository(repository.url), token });
}
