// What `make up` tells while it works: lines, and on a terminal one live line for what takes long.
import { stderr } from 'node:process';

const started = Date.now();
let live = '';

/** A line that stays. */
export function say(line: string): void {
  clear();
  stderr.write(`${elapsed(started)}  ${line}\n`);
  draw();
}

/** A line that is replaced by the next; in a log it would only be noise. */
export function sayLive(line: string): void {
  if (!stderr.isTTY) return;
  clear();
  live = line;
  draw();
}

export function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
}

function clear(): void {
  if (live) stderr.write('\r\u001b[2K');
}

function draw(): void {
  if (live) stderr.write(live.slice(0, stderr.columns - 1));
}
