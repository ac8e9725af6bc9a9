import { setTimeout as delay } from 'node:timers/promises';
import { ForgeError, type Forge, type PullRequest } from '../../src/systems/forge/index.ts';
import { answerMs } from './parameters.ts';
import type { SimulatedRepository } from './repository.ts';

/** A forge in memory, where a reviewer approves whatever is opened, at once. */
export class SimulatedForge implements Forge {
  readonly #repository: SimulatedRepository;
  readonly #pulls: PullRequest[] = [];
  readonly #byBranch = new Map<string, PullRequest[]>();

  constructor(repository: SimulatedRepository) {
    this.#repository = repository;
  }

  #pull(number: number): PullRequest {
    const found = this.#pulls[number - 1];
    if (!found) throw new ForgeError('missing', `There is no pull request #${number}.`);
    return found;
  }

  async pullRequest(number: number) {
    await delay(answerMs);
    return structuredClone(this.#pull(number));
  }

  async pullRequestsFrom(branch: string) {
    await delay(answerMs);
    return structuredClone(this.#byBranch.get(branch) ?? []);
  }

  async openPullRequests() {
    await delay(answerMs);
    return structuredClone(this.#pulls.filter(({ state }) => state === 'open'));
  }

  async mergedAs(revision: string) {
    await delay(answerMs);
    return structuredClone(this.#pulls.find((pull) => pull.revision === revision));
  }

  async createPullRequest({ head, base, title, body }: Parameters<Forge['createPullRequest']>[0]) {
    await delay(answerMs);
    const sha = this.#repository.headOf(head);
    if (sha === undefined) throw new ForgeError('missing', `There is no branch ${head}.`);
    const number = this.#pulls.length + 1;
    const made: PullRequest = {
      ...{ number, title, body, base, url: `https://forge/${number}`, labels: [] },
      state: 'open',
      head: { branch: head, sha, own: true },
      updatedAt: new Date().toISOString(),
    };
    this.#pulls.push(made);
    this.#byBranch.set(head, [...(this.#byBranch.get(head) ?? []), made]);
    return structuredClone(made);
  }

  async updatePullRequest(number: number, text: Parameters<Forge['updatePullRequest']>[1]) {
    await delay(answerMs);
    Object.assign(this.#pull(number), text);
  }

  async addLabel(number: number, label: string) {
    await delay(answerMs);
    this.#pull(number).labels.push(label);
  }

  async reviews(number: number) {
    await delay(answerMs);
    const { sha } = this.#pull(number).head;
    return [{ by: 'reviewer', verdict: 'approve', commit: sha, counts: true } as const];
  }

  async mergePullRequest(number: number, { head }: Parameters<Forge['mergePullRequest']>[1]) {
    await delay(answerMs);
    const pull = this.#pull(number);
    if (pull.state !== 'open') throw new ForgeError(pull.state, `#${number} is ${pull.state}.`);
    if (pull.head.sha !== head) throw new ForgeError('head-moved', `#${number} has another head.`);
    Object.assign(pull, { state: 'merged', revision: this.#repository.merge(pull.head.branch) });
  }

  async deleteBranch(branch: string) {
    await delay(answerMs);
    this.#repository.deleteBranch(branch);
  }

  branchRules = async () => [];
}
