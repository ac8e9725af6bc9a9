import type { Approval, PromotionSettings } from '../model/promotion/promotion.ts';
import { milliseconds } from './duration.ts';
import { environmentOf } from './environments.ts';
import { decidersOf } from './people.ts';
import type { Config, EnvironmentConfig } from './schema.ts';
import { silenceOf } from './silence.ts';

/**
 * What a promotion into an environment has to do, as the configuration says now, whatever the service. Whether a test
 * follows depends on that (`isTestedEndToEnd`).
 */
export function promotionSettings(config: Config, environment: string): Omit<PromotionSettings, 'endToEnd'> {
  const { entersBy, sync, healthy, review, whileAsked, approval } = environmentOf(config, environment);
  return {
    entersBy,
    approval: approvalOf(config, approval),
    sync,
    endToEndWithinMs: 0,
    healthyWithinMs: milliseconds(healthy),
    reviewWithinMs: milliseconds(review),
    whileAsked,
    // Where Argo CD does not sync by itself, a promotion needs the right to: only production workers have it.
    queue: sync === 'manual' ? 'production' : 'delivery',
    silence: silenceOf(config),
  };
}

function approvalOf(config: Config, approval: EnvironmentConfig['approval']): Approval {
  if (typeof approval === 'string') return { by: approval };
  return {
    by: 'decisions',
    quorum: approval.quorum,
    expiresAfterMs: milliseconds(approval.expiresAfter),
    deciders: decidersOf(config),
  };
}
