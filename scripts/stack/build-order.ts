// For a test: parts are there in the order that it wants, each only once nothing more happens without it. So it sees what
// a first start may do, in which any build may end last.
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './progress.ts';

const order = process.env['GITOPS_STACK_BUILD_ORDER']?.split(' ') ?? [];
const quietMs = 500;

let underWay = 0;
let lastEvent = Date.now();

/** Counts the work among what happens, until it ends. */
export async function counted<T>(work: Promise<T>): Promise<T> {
  underWay += 1;
  try {
    return await work;
  } finally {
    underWay -= 1;
    lastEvent = Date.now();
  }
}

export async function turnOf(part: string): Promise<void> {
  while (order.includes(part)) {
    if (order[0] === part && underWay === 0 && Date.now() - lastEvent > quietMs) {
      order.shift();
      lastEvent = Date.now();
      say(`${part} is let go`);
    } else await sleep(50);
  }
}
