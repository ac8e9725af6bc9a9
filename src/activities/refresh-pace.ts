const firstPauseMs = 2000;
const longestPauseMs = 30_000;

/**
 * Tells whether it is time to have Argo CD look again, where its look stays too old: soon at first, then not to be in its way.
 *
 * @param from milliseconds since the epoch; not before
 */
export function refreshPace(from = 0): () => boolean {
  let [next, pause] = [from, firstPauseMs];
  return () => {
    if (Date.now() < next) return false;
    next = Date.now() + pause;
    pause = Math.min(longestPauseMs, pause * 2);
    return true;
  };
}
