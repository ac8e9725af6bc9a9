import { GitopsError, inOurWords } from '../client/errors.ts';
import { errorText, SystemError } from '../systems/system-error.ts';
import type { World } from './world.ts';

/** One line of what was found. */
export interface Finding {
  /** What was looked at. */
  name: string;
  state: 'ok' | 'warning' | 'failed';
  detail: string;
  /** What to change; of whatever is not ok. */
  remedy?: string;
  /** Failed because a system could not be reached. */
  unreachable?: boolean;
}

/** One subject. It yields what it finds as it goes, and throws when it cannot go on. */
export interface Check {
  name: string;
  look(world: World): AsyncIterable<Finding>;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail });

export const warning = (name: string, detail: string, remedy: string): Finding => ({
  name,
  state: 'warning',
  detail,
  remedy,
});

export const failed = (name: string, detail: string, remedy: string): Finding => ({
  name,
  state: 'failed',
  detail,
  remedy,
});

/** A check that cannot go on where another one failed leaves it to that one to say why. */
export const notLookedAt = (name: string, without: string): Finding =>
  warning(name, `Was not looked at: ${without} could not be read.`, 'Correct that first.');

export const readerElsewhere = (name: string): Finding =>
  warning(
    name,
    "Was not looked at: the reader's key is not here.",
    'Run gitops doctor where the queue recovery is served.',
  );

/** What ended a check. */
export function findingOf(name: string, thrown: unknown): Finding {
  const error = inOurWords(thrown);
  if (error instanceof SystemError) {
    const { fact, advice = 'Look at what gitops.yaml says of it.', unreachable } = error;
    return { ...failed(name, fact, advice), unreachable };
  }
  if (error instanceof GitopsError) {
    const remedy = 'See TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the credentials of your profile.';
    return { ...failed(name, error.message, remedy), unreachable: error.kind === 'unreachable' };
  }
  // A secret or a file that is not there, which the message names.
  const detail = errorText(error);
  return failed(name, detail, 'Correct it here, and where the workers run.');
}

/** Undefined where a secret is not here: doctor runs on machines that should not have all of them. */
export function ifAvailable<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
