import { nameSchema } from '../model/names.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';

/** The folder that promotions of a service into an environment write, and nobody else. */
export const releasePath = (service: Pick<Service, 'manifests'>, environment: string): string =>
  `${overlayPath(service, environment)}/release`;

/** What Argo CD syncs: people's overlay, which includes the release. */
export const overlayPath = (service: Pick<Service, 'manifests'>, environment: string): string =>
  `${service.manifests}/overlays/${environment}`;

/** Folder with `base/` and `overlays/`, without asking the repository which services there are. */
export const manifestsPath = ({ manifests }: Config, service: string): string =>
  manifests.replaceAll('{service}', service);

/** The service whose manifests a path of the repository is of, whether there is such a service or not. */
export function serviceOfManifests(config: Config, path: string): string | undefined {
  const [before = '', after = ''] = config.manifests.split('{service}');
  const [suffix = ''] = after.split('/');
  const [folder = ''] = path.slice(before.length).split('/');
  if (!path.startsWith(before) || !folder.endsWith(suffix)) return undefined;
  const name = folder.slice(0, folder.length - suffix.length);
  return nameSchema.safeParse(name).success && path.startsWith(`${manifestsPath(config, name)}/`)
    ? name
    : undefined;
}
