import { isConfigured, noSuchEnvironment } from '../../config/environments.ts';
import type { Config } from '../../config/schema.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { SettingsActivities } from '../contract.ts';
import { refused } from '../failures.ts';

/** Reads only. */
export function createSettingsActivities({ config }: { config: Config }): SettingsActivities {
  return {
    async readSettings({ environment }) {
      if (!isConfigured(config, environment)) throw refused(noSuchEnvironment(config, environment));
      return promotionSettings(config, environment);
    },
  };
}
