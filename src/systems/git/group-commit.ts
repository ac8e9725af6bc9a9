import type { Clone } from './clone.ts';
import { push, treesAt, writeCommits } from './commits.ts';
import { GitError, type ReleaseWrite, type ReleaseWritten } from './index.ts';
import { releaseTree } from './release-tree.ts';

interface Waiting {
  write: ReleaseWrite;
  tree: string;
  resolve: (written: ReleaseWritten) => void;
  reject: (error: unknown) => void;
  /** The very same write, asked for by another attempt: it gets the same answer. */
  twins: Waiting[];
}

/** Each lost race means that somebody else's push won, so this many in a row means a storm: let Temporal try later. */
const mostRaces = 20;

/**
 * Writes to one branch that come at the same time become one push, with one commit each. While a push is under way, new
 * writes gather for the next. There is no lock: a push that loses a race is built again on the new tip.
 */
export class GroupCommit {
  readonly #clone: Clone;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(clone: Clone) {
    this.#clone = clone;
  }

  write(write: ReleaseWrite): Promise<ReleaseWritten> {
    return new Promise((resolve, reject) => {
      const tree = releaseTree(write.base, write.kustomization);
      this.#waiting.push({ write, tree, resolve, reject, twins: [] });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      let group: Waiting[] = [];
      try {
        // Who comes during the fetch is in time for this push.
        await this.#clone.fetch().finally(() => (group = this.#waiting.splice(0)));
        await this.#land(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }

  /** On what was fetched. */
  async #land(group: Waiting[]): Promise<void> {
    for (let races = 0; ; races += 1) {
      const tip = (await this.#clone.git(['rev-parse', this.#clone.tipRef])).trim();
      const open = await this.#settle(group, tip);
      if (open.length === 0) return;
      const writes = open.map(({ write }) => write);
      const commits = await writeCommits(this.#clone, tip, writes);
      try {
        // Of exactly this tip: onto a branch that was set back meanwhile it would bring back what was taken off.
        await push(this.#clone, commits.at(-1) ?? tip, this.#clone.options.branch, tip);
        for (const [index, { tree, twins, ...waiting }] of open.entries()) {
          const written = { state: 'written' as const, revision: commits[index] ?? tip, tree };
          for (const { resolve } of [waiting, ...twins]) resolve(written);
        }
        return;
      } catch (error) {
        if (!(error instanceof GitError) || error.kind !== 'race' || races >= mostRaces) throw error;
        await this.#clone.fetch();
        group = open.flatMap((waiting) => [{ ...waiting, twins: [] }, ...waiting.twins]);
      }
    }
  }

  /** Answers those that need no commit; what remains is to be written, on this very tip. */
  async #settle(group: Waiting[], tip: string): Promise<Waiting[]> {
    const wanted = await Promise.all(group.map(({ write }) => write.stillWanted(tip)));
    const trees = await treesAt(
      this.#clone,
      tip,
      group.map(({ write }) => write.path),
    );
    const open: Waiting[] = [];
    for (const [index, waiting] of group.entries()) {
      const { write, tree, resolve } = waiting;
      const found = trees.get(write.path);
      const twin = open.find((other) => other.write.path === write.path && other.tree === tree);
      if (!wanted[index]) resolve({ state: 'unwanted' });
      else if (twin) twin.twins.push(waiting);
      else if (found === tree) {
        resolve({ state: 'written', revision: await lastChange(this.#clone, tip, write.path), tree });
      } else if (found !== write.expectedTree) resolve({ state: 'changed', tree: found });
      else {
        trees.set(write.path, tree);
        open.push(waiting);
      }
    }
    return open;
  }
}

/** The commit on the protected branch's own line that last changed a path. */
async function lastChange(clone: Clone, tip: string, path: string): Promise<string> {
  const found = await clone.git(['log', '-1', '--first-parent', '--format=%H', tip, '--', path]);
  return found.trim() || tip;
}
