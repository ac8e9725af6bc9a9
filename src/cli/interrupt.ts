/** What shells call "ended by Ctrl-C". */
export const interrupted = 130;

/** Does some work that Ctrl-C, instead of ending the process, tells to stop by the signal. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.on('SIGINT', interrupt);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
