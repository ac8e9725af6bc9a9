import { listServices, type Service } from '../../config/services.ts';
import { sourceConfigOf } from '../../config/sources.ts';
import type { Change } from '../../model/delivery/change.ts';
import { closestFirst } from '../../model/text/closest.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** More than a person looks through for a name that was misspelt. */
const mostNamed = 20;

/**
 * A service as the repository has it at a revision. One whose source is in a repository of its own is as the configuration
 * says, at whatever revision of either.
 *
 * @throws Refused, naming the services there are
 */
export async function knownService(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  name: string,
  revision: string,
): Promise<Service> {
  const files = sourceConfigOf(config, name) ? [] : await repository.files(revision);
  const services = listServices(config, files);
  const service = services.get(name);
  if (service) return service;
  const known = closestFirst(name, services.keys());
  const more = known.length > mostNamed ? ` and ${known.length - mostNamed} more` : '';
  const named = known.slice(0, mostNamed).join(', ');
  throw refused(
    `There is no service ${name}. There are: ${named || 'none'}${more}. See services in gitops.yaml.`,
  );
}

/** The service of a change, as its commit has it. */
export const serviceOf = (
  systems: Pick<Systems, 'config' | 'repository'>,
  { service, commit }: Change,
): Promise<Service> => withGit(() => knownService(systems, service, commit));
