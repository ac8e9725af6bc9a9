import { listServices, type Service } from '../../config/services.ts';
import type { Change } from '../../model/delivery/change.ts';
import { closestFirst } from '../../model/text/closest.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** More than a person looks through for a name that was misspelt. */
const mostNamed = 20;

/**
 * A service as the repository has it at a revision.
 *
 * @throws Refused, naming the services there are
 */
export async function knownService(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  name: string,
  revision: string,
): Promise<Service> {
  const services = listServices(config, await repository.files(revision));
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
