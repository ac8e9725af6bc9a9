import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBackupActivities } from '../../src/activities/backup/store.ts';
import { createRecoveryActivities } from '../../src/activities/backup/index.ts';
import { backupOf, type BackupConfig } from '../../src/config/backup-settings.ts';
import type { RecoveryPoint } from '../../src/model/recovery/backup.ts';
import { createKubernetes } from '../../src/systems/kubernetes/api-client.ts';
import type { BackupStore } from '../../src/systems/backups/index.ts';
import { recipientsOf, recoveryOf, writersStore } from '../../src/wiring/backup-stores.ts';
import type { BackupPlatform } from './backups.ts';

/** Who writes and who reads. */
export interface StoreClients {
  writers: BackupStore;
  readers: BackupStore;
}

export const clientsOf = (backup: BackupConfig): StoreClients => ({
  writers: writersStore(backup),
  readers: recoveryOf(backup).store,
});

/** An activity, as a worker runs it. */
const run = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
    [I],
    O,
    (input: I) => Promise<O>
  >(activity, input);

export type Activities = ReturnType<typeof backupActivities>;

/** The activities of a platform's backups; what a test gives instead is what it is about. */
export function backupActivities({ config: own, identity: key }: BackupPlatform, temporal: Client) {
  const usual = clientsOf(backupOf(own));
  const { cluster } = backupOf(own);
  const folder = mkdtempSync(join(tmpdir(), 'gitops-backups-'));

  /** Each backup of a test has a second of its own. */
  let seconds = 0;
  const nextMoment = () => new Date(Date.UTC(2026, 0, 1) + (seconds += 1) * 1000).toISOString();

  function reading({ from = usual, identity = key, config = own } = {}) {
    const recovery = { store: from.readers, identities: () => [identity] };
    return createRecoveryActivities({ config, recovery }, folder);
  }
  type Reading = Parameters<typeof reading>[0];

  return {
    cluster,
    clients: usual,
    nextMoment,
    /** Where files lie on their way. */
    scratch: folder,
    store({
      into = usual,
      config = own,
      kubernetes = createKubernetes(),
      at = nextMoment(),
      scratch = folder,
    } = {}) {
      const backups = { store: into.writers, recipients: () => recipientsOf(backupOf(config)) };
      const { storeBackup } = createBackupActivities({ config, temporal, backups, kubernetes }, scratch);
      return run(storeBackup, { cluster, at });
    },
    verify: (key: string, how: Reading = {}, accept = false): Promise<RecoveryPoint> =>
      run(reading(how).verifyBackup, { cluster, key, accept }),
    compare: (from: string, to: string) => run(reading().compareBackups, { cluster, from, to }),
  };
}
