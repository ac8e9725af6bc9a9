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
