import type { Config } from '../../config/schema.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { SettingsActivities } from '../contract.ts';

/** Reads only. */
export function createSettingsActivities({ config }: { config: Config }): SettingsActivities {
  return {
    async readSettings({ environment }) {
      return promotionSettings(config, environment);
    },
  };
}
