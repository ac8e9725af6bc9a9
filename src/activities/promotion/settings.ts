import { isConfigured, noSuchEnvironment } from '../../config/environments.ts';
import type { Config } from '../../config/schema.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Approval } from '../../model/promotion/promotion.ts';
import type { SettingsActivities } from '../contract.ts';
import { refused } from '../failures.ts';

/** People may have been asked for less than the configuration demands by now. */
export function refuseWeaker(config: Config, environment: string, asked: Approval): string | undefined {
  const { approval } = promotionSettings(config, environment);
  return approval.by === 'decisions' && asked.by !== 'decisions'
    ? 'The configuration demands decisions by now. Deliver the change again.'
    : undefined;
}

/** What is synced without a pull request was reviewed by nobody. */
export function refuseUnasked(config: Config, environment: string, asked: Approval): string | undefined {
  const { approval, sync } = promotionSettings(config, environment);
  return approval.by === 'review' && sync === 'manual'
    ? 'The configuration demands a review by now. Deliver the change again.'
    : refuseWeaker(config, environment, asked);
}

/** Reads only. */
export function createSettingsActivities({ config }: { config: Config }): SettingsActivities {
  return {
    async readSettings({ environment }) {
      if (!isConfigured(config, environment)) throw refused(noSuchEnvironment(config, environment));
      return promotionSettings(config, environment);
    },
  };
}
