import type {
  EnvironmentInput,
  EnvironmentState,
  EnvironmentView,
} from '../../model/promotion/environment.ts';
import { positionOf } from '../../model/promotion/promotion-queue.ts';
import type { Ask } from '../../model/promotion/promotion.ts';
import type { Promotion } from './promotion.ts';

/** Of so many people see all; of older ones it is known how they ended, since all of this travels from run to run. */
export const shown = 10;

/** What the query `status` answers. */
export function environmentView(
  { environment, service }: EnvironmentInput,
  { current, lastHealthy, waiting, answered }: EnvironmentState,
  active: Pick<Promotion, 'ask' | 'view'> | undefined,
): EnvironmentView {
  return {
    environment,
    service,
    ...(current && { current }),
    ...(lastHealthy && { lastHealthy }),
    ...(active && { active: { ...inLine(active.ask), view: active.view } }),
    waiting: waiting.map(inLine),
    recent: answered.slice(-shown).map(({ change, outcome }) => ({ change, outcome })),
  };
}

const inLine = (ask: Ask): EnvironmentView['waiting'][number] => ({
  askId: ask.id,
  change: ask.release.change,
  position: positionOf(ask),
});
