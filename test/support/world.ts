import type { Client } from '@temporalio/client';
import { createAskActivities } from '../../src/activities/delivery/ask-environment.ts';
import { failed, refused } from '../../src/activities/failures.ts';
import { unknownEnvironment, type EnvironmentMemory } from '../../src/model/promotion/environment.ts';
import type {
  AskActivities,
  BackupActivities,
  BuildActivities,
  Health,
  ObserveActivities,
  Place,
  PullRequestActivities,
  RecordActivities,
  RecoveryActivities,
  RecreationActivities,
  ReleaseActivities,
  RemovalActivities,
  RenderActivities,
  RepositoryPollActivities,
  SettingsActivities,
  SourceActivities,
  SyncActivities,
  WaitActivities,
} from '../../src/activities/contract.ts';
import type { PullRequestReading, PromotionSettings } from '../../src/model/promotion/promotion.ts';
import { Context } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { backupKey, noCounts, type RecoveryPoint } from '../../src/model/recovery/backup.ts';
import {
  changeName,
  type Change,
  type ResolvedChange,
  type Source,
} from '../../src/model/delivery/change.ts';
import type { RepositorySeen } from '../../src/model/delivery/repository-poll.ts';
import type { Delivery, Plan } from '../../src/model/delivery/delivery.ts';
import type { Live } from '../../src/model/promotion/drift.ts';
import type { RecreationPlan } from '../../src/model/recovery/recreation.ts';
import type { Selection } from '../../src/model/temporal/input-schemas.ts';

const seen = { tip: 'tip' };
const minutes = 60_000;
const hours = 60 * minutes;

const settings: Record<string, PromotionSettings> = {
  dev: {
    entersBy: 'push',
    approval: { by: 'none' },
    sync: 'automated',
    endToEnd: false,
    endToEndWithinMs: 0,
    healthyWithinMs: 15 * minutes,
    reviewWithinMs: 0,
    queue: 'delivery',
  },
  staging: {
    entersBy: 'pull-request',
    approval: { by: 'review' },
    sync: 'automated',
    endToEnd: true,
    endToEndWithinMs: 0,
    healthyWithinMs: 15 * minutes,
    reviewWithinMs: 7 * 24 * hours,
    queue: 'delivery',
  },
  production: {
    entersBy: 'pull-request',
    approval: {
      by: 'decisions',
      quorum: 2,
      expiresAfterMs: 24 * hours,
      deciders: ['board-1', 'board-2', 'board-3'],
    },
    sync: 'manual',
    endToEnd: false,
    endToEndWithinMs: 0,
    healthyWithinMs: 15 * minutes,
    reviewWithinMs: 0,
    queue: 'production',
  },
};

/** All that workflows may call. */
export type AllActivities = AskActivities &
  SourceActivities &
  BackupActivities &
  RecoveryActivities &
  RecreationActivities &
  BuildActivities &
  RecordActivities &
  ReleaseActivities &
  PullRequestActivities &
  SettingsActivities &
  RenderActivities &
  RemovalActivities &
  RepositoryPollActivities &
  SyncActivities &
  WaitActivities &
  ObserveActivities;

/**
 * Stands in for Git, the forge, the cluster and the object store where only the order of things is tested: it keeps what
 * was written, and lets a test say what people and systems do. Effects are recorded in `effects`, in order.
 */
export class World {
  readonly effects: string[] = [];
  /** How long it takes to read a backup back, and what comes out. */
  verifying: () => Promise<void> = () => Promise.resolve();
  verification: Pick<RecoveryPoint, 'state' | 'reason'> = { state: 'good' };
  /** What a cluster is rebuilt from, and what the report says in the end. */
  plan: RecreationPlan = {
    backup: { key: 'argocd/live/2026-01-01/020000Z-0000000000000000', sha256: '0', createdAt: '2026-01-01' },
    waves: [
      { wave: -1, applications: 2 },
      { wave: 0, applications: 40 },
    ],
    roots: 3,
  };
  report = { report: 'recreations/live/1', passed: true, summary: '45 of 45 Applications came back.' };
  readonly deliveries: Delivery[] = [];
  readonly memories = new Map<string, EnvironmentMemory>();
  readonly pullRequests = new Map<number, PullRequestReading>();
  /** Changes of overlays alone, by their commits: in which environments, and what is released there. */
  readonly overlays = new Map<string, { environments: string[]; onto: Change }>();
  /** Digest of what production would run; a test moves it. */
  manifestsDigest = 'sha256:rendered';
  settings = structuredClone(settings);
  authors: string[] = ['developer'];
  /** Commits that are not on the branch any more. */
  readonly rewritten = new Set<string>();
  /** Commits that take their service out of the repository. */
  readonly removals = new Set<string>();
  /** Activities that stand still, by their points (`dev writeRelease`), until a test lets them go on. */
  readonly #held = new Map<string, { begun: () => void; goOn: Promise<void>; hears: boolean }>();
  /** What the poll finds. */
  look: Awaited<ReturnType<RepositoryPollActivities['lookAtRepository']>> = {
    now: { tip: '0'.repeat(40), pullRequests: {} },
    deliverOnPush: true,
  };
  /** What the polls have seen. */
  readonly remembered: RepositorySeen[] = [];
  /** What commits touched. */
  changes: ResolvedChange[] = [];
  health: (place: { environment: string; release: { change: Change } }) => Promise<Health> = () =>
    Promise.resolve({ state: 'healthy', revision: 'r', health: 'Healthy', sync: 'Synced' });
  tests: (change: Change) => Promise<void> = () => Promise.resolve();
  /** What keeps a sync from being started. */
  inTheWay: ((place: { service: string }) => ApplicationFailure | undefined) | undefined;
  /** How long it takes to say what there is to deliver. */
  resolving: (selection: Selection) => Promise<void> = () => Promise.resolve();
  /** In the order in which a change enters them. */
  environments: string[];
  readonly #platform: string;

  constructor(platform: string, environments: string[]) {
    this.#platform = platform;
    this.environments = environments;
  }

  /** Positions are in the first eight digits of a commit, so that a test can order changes by their names. */
  static commit = (position: number): string => String(position).padStart(8, '0').padEnd(40, 'a');

  #source({ commit }: Pick<Change, 'commit'>): Source {
    return {
      position: Number(commit.slice(0, 8)),
      subject: 'a change',
      authors: ['Developer <developer@example.com>'],
      committedAt: '2026-01-01T00:00:00Z',
      base: 'b'.repeat(40),
      paths: [],
    };
  }

  #planOfOverlays(change: Change, { environments, onto }: { environments: string[]; onto: Change }): Plan {
    return {
      source: this.#source(change),
      test: false,
      image: 'none',
      environments: environments.map((name) => ({
        name,
        settings: { ...this.#settings(name), entersBy: 'overlay' },
        onto,
      })),
    };
  }

  #pullRequest(number: number): PullRequestReading {
    const reading = this.pullRequests.get(number);
    if (!reading) throw new Error(`no pull request #${number}`);
    return reading;
  }

  /** Activities that have ended, by their points. */
  readonly done = new Set<string>();

  /**
   * Makes an activity stand still.
   *
   * @param options.hears whether it ends when it is cancelled
   * @returns how to wait until it has begun, and how to let it go on or fail
   */
  hold(
    point: string,
    { hears = true } = {},
  ): { begun: Promise<void>; goOn: () => void; fail: (error: Error) => void } {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    this.#held.set(point, { begun: begun.resolve, goOn: goOn.promise, hears });
    return { begun: begun.promise, goOn: goOn.resolve, fail: goOn.reject };
  }

  activities(client: Client): AllActivities {
    const activities = Object.entries(this.#activities(client)).map(([name, work]) => [
      name,
      async (input: { environment?: string } = {}) => {
        const point = `${input.environment ?? 'deliver'} ${name}`;
        const held = this.#held.get(point);
        held?.begun();
        if (held) await (held.hears ? beating(held.goOn) : held.goOn);
        const result = await (work as (input: object) => Promise<unknown>)(input);
        this.done.add(point);
        return result;
      },
    ]);
    return Object.fromEntries(activities) as ReturnType<World['activities']>;
  }

  #activities(client: Client): AllActivities {
    return {
      ...createAskActivities({ platform: this.#platform, temporal: client }),

      verifyChange: async ({ change, image }) => {
        if (change.service === 'unknown') throw refused('There is no service unknown.');
        const overlays = this.overlays.get(change.commit);
        if (overlays) return this.#planOfOverlays(change, overlays);
        const environments = this.environments.map((name) => ({ name, settings: this.#settings(name) }));
        if (this.removals.has(change.commit)) {
          return { source: this.#source(change), test: false, image: 'none', environments, removes: true };
        }
        return {
          source: this.#source(change),
          test: true,
          image: image === undefined ? 'build' : 'given',
          environments,
        };
      },
      storeBackup: async ({ cluster, at }) => {
        const key = backupKey(cluster, at, '0'.repeat(64));
        this.effects.push(`back up ${cluster}`);
        return { key, size: 1, counts: noCounts() };
      },
      verifyBackup: async ({ cluster, key = '' }) => {
        await this.verifying();
        const createdAt = new Date().toISOString();
        return { key, cluster, createdAt, size: 1, counts: noCounts(), ...this.verification };
      },
      compareBackups: async () => ({}),

      checkRecreation: async ({ key, allowOlder }) => {
        this.effects.push(`check ${key ?? 'the newest'}${allowOlder ? ', however old' : ''}`);
        return this.plan;
      },
      installArgoCd: async ({ drill }) => {
        this.effects.push(drill ? 'install into the scratch control plane' : 'install');
        return { objects: 60 };
      },
      restoreBackup: async ({ key }) => {
        this.effects.push(`restore ${key}`);
        return { kinds: { Application: { expected: 45, created: 40, kept: 5, failed: 0 } }, failures: [] };
      },
      startArgoCd: async () => {
        this.effects.push('start');
        return { startedAt: '2026-01-02' };
      },
      syncFrame: async () => {
        this.effects.push('sync the frame');
        return { applications: this.plan.roots, healthy: this.plan.roots };
      },
      syncWave: async ({ wave }) => {
        this.effects.push(`sync ${wave}`);
        const { applications = this.plan.roots } = this.plan.waves.find((one) => one.wave === wave) ?? {};
        return { applications, healthy: applications };
      },
      restoreAutomation: async ({ of }) => {
        this.effects.push(`automate ${of}`);
        return { applications: 42 };
      },
      reportRecreation: async ({ soFar }) => {
        this.effects.push(
          `report ${soFar.phases.filter(({ state }) => state === 'succeeded').length} phases`,
        );
        return this.report;
      },
      finishRecreation: async () => void this.effects.push('finish'),

      resolveChanges: async (selection) => {
        await this.resolving(selection);
        const { service, until: commit = '' } = selection;
        if (service === undefined) return this.changes;
        if (service === 'unknown') throw refused('There is no service unknown.');
        return [{ change: { service, commit }, subject: 'a change' }];
      },
      lookAtRepository: async () => this.look,
      rememberRepository: async ({ now }) => void this.remembered.push(now),
      findPosition: async ({ commit }) =>
        this.rewritten.has(commit) ? {} : { position: this.#source({ commit }).position },
      testService: async ({ change }) => {
        await this.tests(change);
        return { log: 'logs/test' };
      },
      buildImage: async ({ change }) => ({
        name: `registry/${change.service}`,
        digest: `sha256:${change.commit.padEnd(64, '0')}`,
      }),
      adoptImage: async ({ change, reference }) => ({
        name: `registry/${change.service}`,
        digest: reference.split('@')[1] ?? '',
      }),
      runEndToEnd: async (tested) => {
        this.effects.push(`end-to-end ${tested.environment}`);
        this.tested.push(tested);
        return { log: 'logs/e2e' };
      },

      recallEnvironment: async ({ environment, service }) => {
        if (!this.environments.includes(environment)) {
          throw failed(unknownEnvironment, `There is no environment ${environment}.`);
        }
        return this.memories.get(`${environment}/${service}`) ?? {};
      },
      rememberEnvironment: async ({ environment, service, memory }) => {
        this.memories.set(`${environment}/${service}`, memory);
      },
      forgetEnvironment: async ({ environment, service }) => {
        this.memories.delete(`${environment}/${service}`);
      },
      recordDelivery: async ({ delivery }) => {
        this.deliveries.push(delivery);
      },

      readRelease: async () => seen,
      previewRelease: async ({ asked }) => ({
        seen,
        ...(asked.by === 'decisions' && { rendered: this.#rendered(this.manifestsDigest) }),
      }),
      previewOverlay: async ({ environment, onto, asked }) => {
        this.effects.push(`look at the overlay of ${environment}`);
        const image = { name: `registry/${onto.service}`, digest: `sha256:${onto.commit.padEnd(64, '0')}` };
        return {
          released: { change: onto, position: this.#source(onto).position, image },
          ...{ tree: 'tree', revision: 'tip', authors: this.authors },
          ...(asked.by === 'decisions' && { rendered: this.#rendered(this.manifestsDigest) }),
        };
      },
      writeRelease: async ({ environment, release }) => {
        // What is there already is found, not written.
        const written = `write ${environment} ${changeName(release.change)}`;
        if (this.effects.findLast((effect) => effect.startsWith(`write ${environment}`)) !== written) {
          this.effects.push(written);
        }
        return { state: 'written', revision: release.change.commit, tree: 'tree' };
      },

      openPullRequest: async ({ environment, release, asked, rendered }) => {
        const branch = `${environment} ${changeName(release.change)}`;
        const known = [...this.pullRequests].find(
          ([key, { state }]) => this.#branches.get(key) === branch && state !== 'closed',
        );
        let number = known?.[0];
        if (number === undefined) {
          number = this.pullRequests.size + 1;
          this.#branches.set(number, branch);
          this.pullRequests.set(number, { state: 'open', approvedBy: [], rejectedBy: [] });
          this.effects.push(`open ${branch}`);
        }
        return {
          pullRequest: { number, url: `https://forge/${number}`, head: `head-${number}` },
          tree: 'tree',
          authors: this.authors,
          reading: structuredClone(this.#pullRequest(number)),
          ...(asked.by === 'decisions' && { rendered: rendered ?? this.#rendered(this.manifestsDigest) }),
        };
      },
      readPullRequest: async ({ number }) => this.#pullRequest(number),
      mergePullRequest: async ({ pullRequest: { number } }) => {
        const reading = this.#pullRequest(number);
        if (reading.state === 'closed') return { state: 'refused', reason: 'closed' };
        if (reading.state === 'open') this.effects.push(`merge ${this.#branches.get(number)}`);
        reading.state = 'merged';
        return { state: 'merged', revision: `merge-${number}` };
      },
      closePullRequest: async ({ number }) => {
        const reading = this.#pullRequest(number);
        if (reading.state === 'open') reading.state = 'closed';
      },
      readSettings: async ({ environment }) => this.#settings(environment),

      renderRelease: async ({ asked }) => ({
        ...this.#rendered(this.movedDigest ?? this.manifestsDigest),
        ...(asked && { authors: this.movedAuthors ?? this.authors }),
      }),
      previewRemoval: async ({ asked }) => ({
        seen: { revisions: [], destination: {} },
        authors: this.authors,
        ...(asked.by === 'decisions' && { rendered: this.#rendered(this.manifestsDigest) }),
      }),
      removeApplication: async ({ environment, release, approved }) => {
        if (approved !== undefined && approved !== this.manifestsDigest) return { state: 'changed' };
        this.effects.push(`remove ${environment} ${changeName(release.change)}`);
        return { state: 'gone' };
      },
      startSync: async ({ environment, service, revision, approved }) => {
        const failure = this.inTheWay?.({ service });
        if (failure) throw failure;
        const wanted = this.movedDigest ?? this.manifestsDigest;
        if (approved !== undefined && approved !== wanted) return { state: 'changed' };
        this.effects.push(`sync ${environment} ${revision}`);
        return { state: 'started' };
      },
      awaitHealthy: (place) => beating(this.health(place)),
      observe: async ({ places }) => {
        this.observed.push(...places);
        return places.map((place) => ({ ...place, ...this.live(place) }));
      },
    };
  }

  readonly #rendered = (manifestsDigest: string) => ({
    manifestsDigest,
    diff: 'diffs/1',
    summary: '1 changed',
  });

  /** Where somebody looked, and what was to be there. */
  readonly observed: Parameters<AllActivities['observe']>[0]['places'] = [];
  /** What runs now. */
  live: (place: Place) => Live = () => ({ health: 'Healthy', sync: 'Synced' });

  /** What end-to-end tests were told. */
  readonly tested: Parameters<AllActivities['runEndToEnd']>[0][] = [];

  /** What is rendered at the merge commit, when it is not what was previewed. */
  movedDigest?: string;
  /** Whose commits that carries, when it is more. */
  movedAuthors?: string[];
  readonly #branches = new Map<number, string>();

  #settings(name: string): PromotionSettings {
    const found = this.settings[name];
    if (!found) throw refused(`There is no environment ${name}.`);
    return found;
  }
}

/** Waits as an activity does: it tells that it lives, and ends when it is cancelled. */
async function beating<T>(work: Promise<T>): Promise<T> {
  const { cancelled } = Context.current();
  const heartbeat = setInterval(() => Context.current().heartbeat(), 1000);
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    clearInterval(heartbeat);
  }
}
