/**
 * What workflows may ask of the outside world. Input and output are small and plain; failures that are
 * outcomes are values, faults are thrown: `ApplicationFailure.nonRetryable(message, 'Refused')` for bad input
 * and rules, anything else is retried.
 */
import type { Application } from '../model/argocd/application.ts';
import type { BackupDifference, Counts, RecoveryPoint } from '../model/recovery/backup.ts';
import type { Change, Image, Release, ResolvedChange, Source } from '../model/delivery/change.ts';
import type { Delivery, Plan } from '../model/delivery/delivery.ts';
import type { Live, Promoted } from '../model/promotion/drift.ts';
import type { EnvironmentMemory } from '../model/promotion/environment.ts';
import type {
  Approval,
  Ask,
  Deployed,
  InPlace,
  PromotionSettings,
  Proposal,
  PullRequest,
  PullRequestReading,
  Rendered,
} from '../model/promotion/promotion.ts';
import type {
  Recreation,
  RecreationPlan,
  Restored,
  Target,
  WaveResult,
} from '../model/recovery/recreation.ts';
import type { WrittenRelease } from '../model/promotion/release.ts';
import type { RepositorySeen } from '../model/delivery/repository-poll.ts';

/** Names one service in one environment. */
export interface Place {
  environment: string;
  service: string;
}

/** Who must still be open for an effect to happen; the environment's own run is checked as well. */
export type Asker = Ask['asker'];

/** What a promotion saw before it began: every write of it is compare-and-set on this. */
export interface SeenRelease {
  /** Git tree of `release/` on the protected branch, or undefined when there is none. */
  tree?: string;
  /** The change that this program wrote there; undefined when a person wrote it or nobody. */
  change?: Change;
  /** Tip of the protected branch. */
  tip: string;
}

/** Where a service is, for when its Application is gone and cannot say. */
interface SeenDeployment {
  /** Commits whose manifests it may run. */
  revisions: string[];
  /** What Argo CD took for a part of it. */
  objects?: { apiVersion: string; kind: string; namespace: string; name: string }[];
  destination: Application['destination'];
}

/** What a promotion would change, as far as its environment asks people about it. */
export interface Preview {
  seen: SeenRelease;
  /** Where people decide. */
  rendered?: Rendered;
}

export interface SourceActivities {
  /**
   * What is to be done to deliver a change. One of overlays alone goes to the environments that they are of, and builds nothing.
   *
   * @throws Refused: unknown service, commit not on the protected branch's first-parent line, files that no checkout holds
   */
  verifyChange(input: { change: Change; image?: string }): Promise<Plan>;
  /**
   * What there is to deliver at `until` (without it: the protected branch's tip). With `since`: each service that has
   * changed since then, at the newest commit that did it, whether or not that is still on the branch; forty zeros, as forges
   * say of a new branch: all that is there. With `service`: that one, at `until` itself. With neither: every service. A
   * commit that is in the repository of a source names that repository: then it is about the services there. With a `since`
   * of the manifests' repository also those come whose manifests changed, each at the newest commit of its source.
   *
   * @throws Refused: `until` is not on the protected branch's first-parent line, `since` nowhere, `service` not there
   */
  resolveChanges(input: { since?: string; until?: string; service?: string }): Promise<ResolvedChange[]>;
  /**
   * Where a commit is on the protected branch's first-parent line now; nothing when it is not there any more. Runs begun
   * under 0.2 name no service, and all had their source in the platform's repository.
   */
  findPosition(input: { commit: string; service?: string }): Promise<{ position?: number }>;
}

export interface BuildActivities {
  // Their failures carry `FailureLogs`; a log that could not be stored is left out.
  /** @throws TestsFailed */
  testService(input: { change: Change }): Promise<{ log?: string }>;
  /** @throws BuildFailed */
  buildImage(input: { change: Change; source: Source }): Promise<Image & { log?: string }>;
  /** @throws Refused: registry not allowed, or the revision label is not the commit */
  adoptImage(input: { change: Change; reference: string }): Promise<Image>;
  /**
   * Runs begun under 0.2 name no images.
   *
   * @param input.previous what was healthy there before
   * @throws EndToEndFailed
   */
  runEndToEnd(input: {
    change: Change;
    environment: string;
    image?: Image;
    previous?: Image;
  }): Promise<{ log?: string }>;
}

export interface AskActivities {
  askEnvironment(input: { environment: string; ask: Ask }): Promise<void>;
  withdrawAsk(input: { environment: string; ask: Ask; reason: string }): Promise<void>;
}

export interface RecordActivities {
  /** The environment's own memory, else what Argo CD runs, else nothing. */
  recallEnvironment(input: Place): Promise<EnvironmentMemory>;
  rememberEnvironment(input: Place & { memory: EnvironmentMemory }): Promise<void>;
  /** A service that comes back begins anew. @param input.at of what it knew last */
  forgetEnvironment(input: Place & { at?: string }): Promise<void>;
  recordDelivery(input: { delivery: Delivery }): Promise<void>;
}

export interface ReleaseActivities {
  /** For runs begun under 0.1: `previewRelease` reads it, too. */
  readRelease(input: Place): Promise<SeenRelease>;
  /** Writes `release/` on the protected branch. `refused`: somebody else wrote there meanwhile. */
  writeRelease(input: {
    environment: string;
    release: Release;
    seen: SeenRelease;
    asker: Asker;
  }): Promise<{ state: 'written'; revision: string; tree: string } | { state: 'refused'; reason: string }>;
}

export interface RepositoryPollActivities {
  /** What the repository, those of sources and its promotion pull requests look like now, and did at the last look (first: undefined). */
  lookAtRepository(): Promise<{
    before?: RepositorySeen;
    now: RepositorySeen;
    deliverOnPush: boolean;
    /** Why the tip of a source's repository could not be read: it stays as it was seen before. */
    unread?: string[];
  }>;
  rememberRepository(input: { before?: RepositorySeen; now: RepositorySeen }): Promise<void>;
}

export interface PullRequestActivities {
  /**
   * Writes `release/` on the promotion's branch and opens its pull request, or finds both and brings title, text and
   * labels up to date. Where people decide, the pull request shows what was rendered.
   */
  openPullRequest(input: {
    environment: string;
    release: Release;
    seen: SeenRelease;
    current?: Deployed;
    /** What people will be asked for. */
    asked: Approval;
    /** What they will be shown. Runs begun under 0.1 leave it out where people decide: then it is rendered here. */
    rendered?: Rendered;
    asker: Asker;
  }): Promise<Proposal>;
  readPullRequest(input: Place & { number: number; head: string }): Promise<PullRequestReading>;
  mergePullRequest(input: {
    environment: string;
    release: Release;
    pullRequest: PullRequest;
    /** What people were asked for. */
    approval: Approval;
    asker: Asker;
  }): Promise<{ state: 'merged'; revision: string } | { state: 'refused'; reason: string }>;
  /** Closes it and deletes its branch. */
  closePullRequest(input: {
    environment: string;
    change: Change;
    number: number;
    reason: string;
  }): Promise<void>;
}

export interface SettingsActivities {
  /** What the configuration demands now: the answer of the workers with the effect counts, not what was asked with. */
  readSettings(input: { environment: string }): Promise<Omit<PromotionSettings, 'endToEnd'>>;
}

export interface RenderActivities {
  /**
   * What `release/` holds, and what the environment would run with this release in it, on the protected branch's tip: it
   * is rendered everywhere, and compared with what runs where people decide. Nothing is written.
   *
   * @throws Refused: as `renderRelease`
   */
  previewRelease(input: { environment: string; release: Release; asked: Approval }): Promise<Preview>;
  /**
   * What the environment runs against what it would run with this release at `revision`, a merge commit.
   *
   * @returns also whose commits that carries: the branch may have moved under what was proposed
   * @throws Refused: the render is empty, or holds another image than the release's; Argo CD would read it otherwise; too
   *   few others may decide
   */
  renderRelease(input: {
    environment: string;
    release: Release;
    revision: string;
    current?: Deployed;
    /** What people will be asked for. Runs begun under 0.1 leave it out: their authors stay who they were. */
    asked?: Approval;
  }): Promise<Rendered & { authors?: string[] }>;
  /**
   * What the environment would run with the overlay that is on the protected branch's tip, and the release that is there.
   *
   * @param input.release of the change of the overlay; it is not written
   * @throws Refused: another release is there than `onto`; as `renderRelease`; too few may decide
   */
  previewOverlay(input: {
    environment: string;
    release: Release;
    onto: Change;
    current?: Deployed;
    /** What people will be asked for. */
    asked: Approval;
  }): Promise<InPlace>;
}

export interface RemovalActivities {
  /**
   * What an environment runs of a service that its change removes, and where people decide what they are shown of that.
   *
   * @throws Refused: the change removes nothing, or the service has come back since
   */
  previewRemoval(input: {
    environment: string;
    release: Release;
    current?: Deployed;
    asked: Approval;
  }): Promise<{ seen: SeenDeployment; authors: string[]; rendered?: Rendered }>;
  /**
   * Deletes the Application with all that it deployed, and ends when that is gone.
   *
   * @param input.approved digest of what people saw. `changed`: something else runs by now
   * @throws Refused: as `previewRemoval`
   */
  removeApplication(input: {
    environment: string;
    release: Release;
    seen: SeenDeployment;
    approved?: string;
    asker: Asker;
  }): Promise<{ state: 'gone' | 'changed' } | { state: 'refused'; reason: string }>;
}

export interface SyncActivities {
  /** Starts the operation `operationId` at exactly `revision`, with prune. `changed`: it would bring something else than was approved. */
  startSync(
    input: Place & {
      release: WrittenRelease;
      /** What people were asked for. */
      approval?: Approval;
      /** Whether a pull request was merged: then a review was one of that. */
      merged?: boolean;
      /** Digest of what they approved, where they decide. Runs begun under 0.1 leave it out. */
      approved?: string;
      revision: string;
      operationId: string;
      asker: Asker;
    },
  ): Promise<{ state: 'started' | 'changed' } | { state: 'refused'; reason: string }>;
}

export interface WaitActivities {
  awaitHealthy(
    input: Place & {
      release: Release;
      revision: string;
      /** Git tree of `release/` that must be what runs. */
      tree: string;
      /** Set where the promotion syncs by itself. */
      operationId?: string;
      /** ISO 8601 */
      deadline: string;
    },
  ): Promise<Health>;
}

/** One service in one environment, as it is now. */
export type Observed = Place & Live;

export interface ObserveActivities {
  /** What Argo CD and the pods say now, beside what was promoted; of environments that are not configured, nothing. */
  observe(input: { places: (Place & { promoted?: Promoted })[] }): Promise<Observed[]>;
}

/** Written and proposed by whom an environment's settings name. */
type PromotionActivities = ReleaseActivities &
  PullRequestActivities &
  SettingsActivities &
  RenderActivities &
  RemovalActivities;

/** What the workers of each queue can do: no workflow can ask them for anything else. */
export interface Served {
  build: BuildActivities;
  delivery: PromotionActivities &
    SourceActivities &
    RecordActivities &
    RepositoryPollActivities &
    AskActivities;
  production: PromotionActivities & SyncActivities & BackupActivities;
  recovery: RecoveryActivities & RecreationActivities;
  wait: WaitActivities & ObserveActivities;
}

export type Health =
  | { state: 'healthy'; revision: string; health: string; sync: string }
  | { state: 'overtaken'; reason: string }
  | {
      state: 'failed';
      reason: string;
      /** Keys of what its containers wrote, as the reason names them. */
      logs?: string[];
      health?: string;
      sync?: string;
    };

export interface BackupActivities {
  /**
   * Reads Argo CD out of its cluster and stores it, encrypted.
   *
   * @param input.at ISO 8601; becomes a part of the backup's key
   * @throws Refused: the cluster is being rebuilt; the store refuses; another cluster than the configured one
   */
  storeBackup(input: { cluster: string; at: string }): Promise<{ key: string; size: number; counts: Counts }>;
}

export interface RecoveryActivities {
  /**
   * Reads a backup back, opens it, compares it with its index, and writes beside it what came out.
   *
   * @param input.key the newest one, when left out
   * @param input.accept whether a person looked at what makes it suspect, and wants it counted as good
   * @throws Refused: there is no such backup; the store refuses; our identity opens none of it
   */
  verifyBackup(input: { cluster: string; key?: string; accept?: boolean }): Promise<RecoveryPoint>;
  /** @throws Refused: one of them is not there, or is not what was written */
  compareBackups(input: { cluster: string; from: string; to: string }): Promise<BackupDifference>;
}

/** The long ones send how far they are (`Work`) with their heartbeats. */
export interface RecreationActivities {
  /**
   * All that can be known before anything is changed.
   *
   * @param input.key the newest good backup, when left out
   * @throws Refused: there is no such backup, it is damaged, too old or another cluster's; Argo CD cannot migrate it;
   *   the cluster is alive, or (drill) is the one that was backed up; an Application in it is being deleted
   */
  checkRecreation(input: Target & { key?: string; allowOlder: boolean }): Promise<RecreationPlan>;
  /** Namespace, the pinned manifest, its definitions served; nothing of Argo CD runs. @throws Refused: another hash */
  installArgoCd(input: Target): Promise<{ objects: number }>;
  /** Sealing keys and settings first; `automated` of every Application off, so that none syncs by itself. */
  restoreBackup(input: Target & { key: string }): Promise<Restored>;
  /** Lets Argo CD run, waits until it does, and has it look at everything anew. @returns ISO 8601, the cluster's clock */
  startArgoCd(input: Target): Promise<{ startedAt: string }>;
  /** What roots hold beside Applications: namespaces, projects, secrets, which all others need. */
  syncFrame(input: Target & { key: string; startedAt: string }): Promise<WaveResult>;
  /** The Applications of a wave, each at its environment's last approved revision, else the backup's; without prune. */
  syncWave(input: Target & { key: string; startedAt: string; wave: number | 'roots' }): Promise<WaveResult>;
  /** Gives back `automated` as the backup has it. */
  restoreAutomation(
    input: Target & { key: string; of: 'others' | 'roots' },
  ): Promise<{ applications: number }>;
  /** Compares what runs with what should, and stores the report; a drill's proves its backup. */
  reportRecreation(
    input: Target & { soFar: Recreation; startedAt?: string },
  ): Promise<{ report: string; passed: boolean; summary: string }>;
  /** Takes away what tells that the cluster is being rebuilt; of a drill, all that it made. */
  finishRecreation(input: Target): Promise<void>;
}
