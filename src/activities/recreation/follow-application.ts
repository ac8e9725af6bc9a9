import { log } from '@temporalio/activity';
import type { Application } from '../../model/argocd/application.ts';
import type { Step } from '../../model/recovery/next-step.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';
import { KubernetesError } from '../../systems/kubernetes/index.ts';
import { refreshPace } from '../refresh-pace.ts';

/** The deadline, and whether a look is too old, are judged this often without any news. */
const tickMs = 1000;
/** After a sync Argo CD mostly looks by itself; asked at once, it would do everything twice. */
const firstRefreshMs = 1000;

export interface Following {
  argocd: ArgoCd;
  name: string;
  signal: AbortSignal;
  next: (application: Application | undefined) => Step;
  /** @returns false when it never can */
  start?: (application: Application) => Promise<boolean>;
  /** In milliseconds. */
  deadline: (application: Application | undefined) => number;
}

/**
 * Takes one step after another with an Application, as the shared watch tells of it.
 *
 * @returns `late` at the deadline
 * @throws KubernetesError 401 or 403; an API server that is away is waited for
 */
export async function followApplication(following: Following): Promise<'done' | 'given-up' | 'late'> {
  const { argocd, name, signal, next, start, deadline } = following;
  let isRefreshDue: (() => boolean) | undefined;
  for await (const { application, unreachable } of argocd.changes(name, tickMs, signal)) {
    const step = unreachable === undefined ? next(application) : 'wait';
    if (step === 'done') return 'done';
    if (step === 'give-up') return 'given-up';
    if (Date.now() >= deadline(application)) return 'late';
    try {
      if (step === 'refresh') {
        isRefreshDue ??= refreshPace(Date.now() + firstRefreshMs);
        if (isRefreshDue()) await argocd.refresh(name);
      }
      if (step === 'start' && application && !(await start?.(application))) return 'given-up';
    } catch (error) {
      if (!(error instanceof KubernetesError) || [401, 403].includes(error.status)) throw error;
      log.warn('Trying again', { application: name, error: error.message });
    }
  }
  throw new Error('The watch of Argo CD ended.'); // Never: it ends by throwing only.
}
