import { ForgeError, type Forge, type PullRequest, type Review } from '../../src/systems/forge/index.ts';

/** A forge in memory, for what depends on the order of events only; creation is as little atomic as Gitea's. */
export class MemoryForge implements Forge {
  readonly pulls: PullRequest[] = [];
  readonly given: Review[] = [];
  readonly merges: { number: number; head: string; title: string; message: string }[] = [];
  readonly deletedBranches: string[] = [];
  /** What the next merges answer instead of merging; `after`: once merged. */
  mergeErrors: { error: ForgeError; after?: boolean }[] = [];

  add(pull: Partial<PullRequest>): PullRequest {
    const number = this.pulls.length + 1;
    const made: PullRequest = {
      number,
      url: `https://forge/${number}`,
      title: '',
      body: '',
      labels: [],
      state: 'open',
      base: 'main',
      head: { branch: 'branch', sha: 'head', own: true },
      updatedAt: '2026-01-01T00:00:00Z',
      ...pull,
    };
    this.pulls.push(made);
    return made;
  }

  async pullRequest(number: number) {
    await turn();
    const found = this.pulls.find((pull) => pull.number === number);
    if (!found) throw new ForgeError('missing', `There is no #${number}.`);
    return structuredClone(found);
  }

  async pullRequestsFrom(branch: string) {
    await turn();
    return structuredClone(this.pulls.filter((pull) => pull.head.branch === branch && pull.head.own));
  }

  async openPullRequests() {
    await turn();
    return structuredClone(this.pulls.filter(({ state }) => state === 'open'));
  }

  async mergedAs(revision: string) {
    await turn();
    return structuredClone(this.pulls.find((pull) => pull.revision === revision));
  }

  async createPullRequest({ head, base, title, body }: Parameters<Forge['createPullRequest']>[0]) {
    await turn();
    return this.add({ base, title, body, head: { branch: head, sha: 'head', own: true } });
  }

  async updatePullRequest(number: number, text: Parameters<Forge['updatePullRequest']>[1]) {
    await turn();
    Object.assign(this.pulls[number - 1] ?? {}, text);
  }

  async addLabel(number: number, label: string) {
    await turn();
    this.pulls[number - 1]?.labels.push(label);
  }

  async reviews() {
    await turn();
    return this.given;
  }

  async mergePullRequest(number: number, merge: Parameters<Forge['mergePullRequest']>[1]) {
    await turn();
    const wrong = this.mergeErrors.shift();
    if (wrong && !wrong.after) throw wrong.error;
    Object.assign(this.pulls[number - 1] ?? {}, { state: 'merged', revision: `revision-${number}` });
    this.merges.push({ number, ...merge });
    if (wrong) throw wrong.error;
  }

  async deleteBranch(branch: string) {
    await turn();
    this.deletedBranches.push(branch);
  }

  async branchRules() {
    await turn();
    return [];
  }
}

/** Lets whoever else is under way go on, as a request over a network does. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
