import { milliseconds } from '../config/duration.ts';
import type { BackupConfig } from '../config/backup-settings.ts';
import { newestGood } from '../model/recovery/backup.ts';
import { listSealingKeys, type SealingKey } from '../systems/sealed-secrets/index.ts';
import { isForbidden, type Kubernetes } from '../systems/kubernetes/index.ts';
import { readIndex, recoveryPoints } from '../systems/backups/catalogue.ts';
import { recoveryOf } from '../wiring/backup-stores.ts';
import { failed, ifAvailable, notLookedAt, ok, warning, type Check, type Finding } from './check.ts';

const name = 'sealing keys';
const inBackup = `${name} in the newest backup`;

/** The controller makes one every 30 days, unless it was told otherwise. */
const renewedWithin = '35d';

/** The keys of sealed-secrets, without which nobody can open what is sealed in Git. */
export const sealingKeys: Check = {
  name,
  async *look({ config: { backup }, kubernetes }) {
    if (!backup) return;
    const namespace = backup.sealingKeys;
    const api = await kubernetes().catch(() => undefined);
    // One that cannot be asked, or not by us: the cluster's own lines say why.
    const keys = api && (await Array.fromAsync(listSealingKeys(api, namespace)).catch(() => undefined));
    if (!keys) yield notLookedAt(name, 'the cluster');
    else if (keys.length === 0) yield await onNone(api, namespace);
    else {
      yield onAge(keys, namespace);
      yield* await onBackup(keys, backup).catch(() => [notLookedAt(inBackup, 'the store of the backups')]);
    }
  },
};

async function onNone(api: Kubernetes, namespace: string): Promise<Finding> {
  const none = `There is none in ${namespace}`;
  const sealed = await hasSealedSecrets(api);
  if (sealed === undefined) {
    const remedy = 'Give this account the right to list sealedsecrets, if there are any.';
    return warning(name, `${none}, and we may not see whether anything is sealed.`, remedy);
  }
  if (!sealed) return ok(name, `${none}, and nothing is sealed.`);
  const remedy = 'Look at the controller of sealed-secrets, or correct backup.sealingKeys.';
  return failed(name, `${none}, and there are SealedSecrets, which nobody can open.`, remedy);
}

/** @returns undefined when we may not look */
async function hasSealedSecrets(api: Kubernetes): Promise<boolean | undefined> {
  try {
    const found = await api.get('/apis/bitnami.com/v1alpha1/sealedsecrets', { limit: 1 });
    return found !== undefined && (found as { items: unknown[] }).items.length > 0;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function onAge(keys: SealingKey[], namespace: string): Finding {
  const unreadable = keys.find(({ madeAt }) => madeAt === undefined);
  if (unreadable) {
    const remedy = `Look at its tls.crt: kubectl -n ${namespace} get secret ${unreadable.name}`;
    return failed(name, `${unreadable.name} holds no certificate.`, remedy);
  }
  const age = Date.now() - Math.max(...keys.map(({ madeAt }) => Number(madeAt)));
  const days = Math.floor(age / milliseconds('1d'));
  const detail = `The newest of ${keys.length} in ${namespace} is ${days === 1 ? '1 day' : `${days} days`} old.`;
  if (age <= milliseconds(renewedWithin)) return ok(name, detail);
  const remedy = 'See that the controller of sealed-secrets runs, and what its --key-renew-period is.';
  return warning(name, `${detail} The controller makes one every 30 days, and has not.`, remedy);
}

/** Only where backups can be read, and there is a good one: other lines tell of those. */
async function onBackup(keys: SealingKey[], backup: BackupConfig): Promise<Finding[]> {
  const recovery = ifAvailable(() => recoveryOf(backup));
  const newest = recovery && newestGood(await recoveryPoints(recovery.store, backup.cluster));
  const index = newest && (await readIndex(recovery.store, newest.key));
  if (!index) return [];
  const kept = new Set(index.sealingKeys.map(({ fingerprint }) => fingerprint));
  const missing = keys.filter(({ fingerprint }) => !kept.has(fingerprint));
  if (missing.length === 0) return [ok(inBackup, `${index.key} has all of them.`)];
  const names = missing.map((key) => key.name).join(', ');
  const remedy = 'Run: gitops backup --wait';
  if (missing.every(({ madeAt }) => Number(madeAt) > Date.parse(index.createdAt))) {
    return [warning(inBackup, `${names}: made after ${index.key}.`, remedy)];
  }
  return [failed(inBackup, `${index.key} lacks ${names}.`, `${remedy}, and compare again.`)];
}
