import { createLogUpdate } from 'log-update';
import { columns, type CommonOptions } from './common.ts';

/** Often enough for durations, which are shown with tenths of a second. */
const redrawEveryMs = 500;

/** How something that goes on is shown. */
interface Looks<T> {
  /** Tells several of them apart. */
  name: (seen: T) => string;
  /** @param now milliseconds since the epoch @param width columns of the terminal */
  draw: (seen: T, now: number, width: number) => string;
  /** What changed, for logs that cannot be redrawn; `before` is undefined at the first look. */
  lines: (before: T | undefined, after: T, now: Date) => string[];
}

interface Display<T> {
  show: (seen: T) => void;
  end: () => void;
}

/** A picture on a terminal, otherwise a line for each change; beside a JSON document that on stderr. */
export function displayOf<T>(looks: Looks<T>, json: CommonOptions['json']): Display<T> {
  if (json) return showLines(looks, process.stderr);
  return process.stdout.isTTY ? showPicture(looks) : showLines(looks, process.stdout);
}

function showPicture<T>({ name, draw }: Looks<T>): Display<T> {
  const update = createLogUpdate(process.stdout);
  const all = new Map<string, T>();
  const redraw = () => {
    const width = columns();
    update([...all.values()].map((seen) => draw(seen, Date.now(), width)).join('\n\n'));
  };
  const timer = setInterval(redraw, redrawEveryMs);
  return {
    show(seen) {
      all.set(name(seen), seen);
      redraw();
    },
    end() {
      clearInterval(timer);
      if (all.size > 0) redraw();
      update.done();
    },
  };
}

function showLines<T>({ name, lines }: Looks<T>, stream: NodeJS.WriteStream): Display<T> {
  const all = new Map<string, T>();
  return {
    show(seen) {
      for (const line of lines(all.get(name(seen)), seen, new Date())) stream.write(`${line}\n`);
      all.set(name(seen), seen);
    },
    end: () => undefined,
  };
}
