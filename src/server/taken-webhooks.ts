/** A forge sends a few a second at most; an attacker who replays an older one only makes us look again. */
const most = 10_000;

/**
 * Remembers the IDs of webhook deliveries that were taken, in memory only: what a webhook causes is the same when it is
 * caused twice, so a replay after a restart does no harm. The ID is not signed: a replayed body with another one is taken,
 * and does no harm either.
 */
export function createTakenWebhooks() {
  const ids = new Set<string>();
  return {
    /** @returns false when it was taken, or is being taken */
    begin(id: string): boolean {
      if (ids.has(id)) return false;
      ids.add(id);
      const [oldest] = ids;
      if (ids.size > most && oldest !== undefined) ids.delete(oldest);
      return true;
    },
    forget(id: string): void {
      ids.delete(id);
    },
  };
}
