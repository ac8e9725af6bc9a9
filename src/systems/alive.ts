/**
 * Whether there is another process of that number. What carries our own is of a dead one, when we have just been started:
 * in a container that was started again numbers are the same.
 */
export function isAliveElsewhere(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
