import type { Approval, PromotionSettings } from '../model/promotion.ts';
import type { BackupInput } from '../model/recovery/backup.ts';
import type { Silence } from '../model/silence.ts';
import { milliseconds } from './duration.ts';
import type { Config, EnvironmentConfig } from './schema.ts';
import type { Service } from './services.ts';

/** @throws Error that lists the environments there are */
export function environmentOf(config: Config, name: string): EnvironmentConfig {
  const found = config.environments.find((environment) => environment.name === name);
  if (found) return found;
  const names = config.environments.map((environment) => environment.name).join(', ');
  throw new Error(`There is no environment ${name}. There are: ${names}.`);
}

/** The folder that promotions of a service into an environment write, and nobody else. */
export const releasePath = (service: Pick<Service, 'manifests'>, environment: string): string =>
  `${service.manifests}/overlays/${environment}/release`;

/** What Argo CD syncs: people's overlay, which includes the release. */
export const overlayPath = (service: Pick<Service, 'manifests'>, environment: string): string =>
  `${service.manifests}/overlays/${environment}`;

/** Folder with `base/` and `overlays/`, without asking the repository which services there are. */
export const manifestsPath = ({ manifests }: Config, service: string): string =>
  manifests.replaceAll('{service}', service);

export const namespaceOf = (config: Config, environment: string): string =>
  environmentOf(config, environment).namespace ?? `${config.platform}-${environment}`;

/** Name of the Argo CD Application. */
export const applicationName = (config: Config, service: string, environment: string): string =>
  environmentOf(config, environment)
    .application.replaceAll('{service}', service)
    .replaceAll('{environment}', environment);

/** What a promotion into an environment has to do, as the configuration says now. */
export function promotionSettings(config: Config, environment: string): PromotionSettings {
  const { entersBy, sync, endToEnd, healthy, review, approval } = environmentOf(config, environment);
  return {
    entersBy,
    approval: approvalOf(config, approval),
    sync,
    endToEnd: endToEnd !== undefined,
    healthyWithinMs: milliseconds(healthy),
    reviewWithinMs: milliseconds(review),
    endToEndWithinMs: endToEnd ? milliseconds(endToEnd.timeout) : 0,
    // Where Argo CD does not sync by itself, a promotion needs the right to: only production workers have it.
    queue: sync === 'manual' ? 'production' : 'delivery',
    silence: silenceOf(config),
  };
}

/** What the workflows start with that back a cluster up, and rebuild it. */
export const backupInput = (config: Config, { cluster }: { cluster: string }): BackupInput => ({
  platform: config.platform,
  cluster,
  silence: silenceOf(config),
});

/** After how much silence an attempt counts as dead. */
export const silenceOf = ({ worker }: Pick<Config, 'worker'>): Silence => ({
  exchangeMs: milliseconds(worker.silence.exchange),
  workMs: milliseconds(worker.silence.work),
});

function approvalOf({ people }: Config, approval: EnvironmentConfig['approval']): Approval {
  if (typeof approval === 'string') return { by: approval };
  const deciders = Object.keys(people).filter((name) => people[name]?.decides);
  return {
    by: 'decisions',
    quorum: approval.quorum,
    expiresAfterMs: milliseconds(approval.expiresAfter),
    deciders,
  };
}
