import { changeName } from '../model/delivery/change.ts';
import { nudge } from '../model/temporal/messages.ts';
import { GitopsError } from './errors.ts';
import type { Session } from './session.ts';
import { environmentUnderWay } from './status.ts';

export function nudging({ ask, resolve, underWay, handleOf }: Session) {
  return {
    /**
     * Has a delivery ask the environment that it is in again now: for when somebody terminated that environment. One that
     * knows the ask already goes on with it as before.
     *
     * @throws GitopsError `refused`: it has ended, or has not come to an environment yet
     */
    nudge(name: string): Promise<{ change: string; workflowId: string; environment: string }> {
      return ask(async () => {
        const change = await resolve(name);
        const environment = environmentUnderWay(await underWay(change));
        if (environment === undefined) {
          throw new GitopsError(
            'refused',
            `${changeName(change)} has not come to an environment yet: there is nobody to ask again.`,
          );
        }
        const handle = handleOf(change);
        await handle.signal(nudge);
        return { change: changeName(change), workflowId: handle.workflowId, environment };
      });
    },
  };
}
