import { CancellationScope, sleep } from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';

export interface Reminder {
  due: boolean;
}

/** Becomes due again and again, from now on, whatever is cancelled meanwhile. Nobody has to end it. */
export function remind(every: Duration, summary: string): Reminder {
  const reminder: Reminder = { due: false };
  void CancellationScope.nonCancellable(async () => {
    for (;;) {
      await sleep(every, { summary });
      reminder.due = true;
    }
  });
  return reminder;
}
