import { CancellationScope, condition } from '@temporalio/workflow';

/** Does what can be given up, and cancels it once it has become pointless. */
export async function cancelWhen<T>(pointless: () => boolean, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const result = scope.run(work);
  const watcher = new CancellationScope();
  watcher
    .run(() => condition(pointless))
    .then(
      () => scope.cancel(),
      () => undefined,
    );
  try {
    return await result;
  } finally {
    watcher.cancel();
  }
}
