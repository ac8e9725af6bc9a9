import { setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { recreationStatus } from '../model/temporal/messages.ts';
import {
  describeRecreation,
  phaseNames,
  type PhaseName,
  type Recreation,
  type RecreationInput,
} from '../model/recovery/recreation.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { isCancelled } from './is-cancelled.ts';
import { failureText } from './failure-text.ts';
import { now } from './activity-options.ts';

export const recreationCancelled = 'It was cancelled.';

/** A drill restores, and looks at what is there then: the syncs would reach what the live cluster runs. */
const drillPhases: readonly PhaseName[] = ['check', 'install', 'restore', 'report', 'finish'];

export type RecreationTrack = ReturnType<typeof trackRecreation>;

/** Keeps what people see of a recreation: the query, the details in the Temporal UI, the search attribute. */
export function trackRecreation({ cluster, drill = false }: RecreationInput) {
  const recreation: Recreation = {
    cluster,
    drill,
    state: 'running',
    startedAt: now(),
    phases: (drill ? drillPhases : phaseNames).map((name) => ({ name, state: 'pending' })),
  };
  setHandler(recreationStatus, () => recreation);
  const show = () => setCurrentDetails(describeRecreation(recreation));
  upsertSearchAttributes([{ key: attributes.state, value: recreation.state }]);

  return {
    recreation,

    /** @param work is given what tells people more of the phase, in a few words */
    async phase<T>(name: PhaseName, work: (say: (detail: string) => void) => Promise<T>): Promise<T> {
      const phase = recreation.phases.find((known) => known.name === name);
      if (!phase) throw new Error(`A recreation like this one has no phase ${name}.`);
      const say = (detail: string) => {
        phase.detail = detail;
        show();
      };
      Object.assign(phase, { state: 'running', startedAt: now() });
      show();
      try {
        const result = await work(say);
        phase.state = 'succeeded';
        return result;
      } catch (error) {
        phase.state = 'failed';
        phase.detail = isCancelled(error) ? recreationCancelled : failureText(error);
        throw error;
      } finally {
        phase.finishedAt = now();
        show();
      }
    },

    /** Whether it has come so far that something may have been changed. */
    hasBegun: (name: PhaseName): boolean =>
      recreation.phases.some((phase) => phase.name === name && phase.state !== 'pending'),

    end(state: 'succeeded' | 'failed', reason: string): Recreation {
      Object.assign(recreation, { state, reason, finishedAt: now() });
      upsertSearchAttributes([{ key: attributes.state, value: state }]);
      show();
      return recreation;
    },
  };
}
