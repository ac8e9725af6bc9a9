import { backupPrefix } from '../../model/recovery/backup.ts';
import type { Prepared } from '../prepared.ts';
import {
  accountOf,
  codeOf,
  createContainerClient,
  explain,
  untilSilent,
  type AzureOptions,
} from './azure.ts';
import type { Retention } from './index.ts';

/**
 * Looks at the container of the backups. A container that locks, its policy and what removes old backups are made by
 * Azure Resource Manager, not by the service that stores blobs: for each that is missing there is the command to run.
 */
export async function lookAtContainer(
  options: AzureOptions,
  cluster: string,
  retention: Retention,
): Promise<Prepared[]> {
  const { container } = options;
  const { days, lock } = retention;
  const removal: Prepared = {
    what: `removal from ${container} after ${days} days`,
    state: 'advice',
    detail: 'It is a rule of the whole account, which is not seen from here.',
    advice: `Unless the account has it, add it to its rules (az storage account management-policy show), or, if it has none, run: ${removalCommand(options, cluster, retention)}`,
  };
  try {
    const { there, locks } = await protectionOf(options);
    const madeBy = `Run: ${containerCommand(options)}`;
    const lockedBy = `Run: ${lockCommand(options, retention)}`;
    return [
      {
        what: `container ${container}`,
        ...(there ? { state: 'there' } : { state: 'advice', detail: 'There is none.', advice: madeBy }),
      },
      {
        what: `lock of ${container}: ${lock}, ${days} days`,
        ...(locks
          ? { state: 'there', detail: 'How long and how strictly, each backup shows: gitops backups list' }
          : {
              state: 'advice',
              detail: 'It has no version-level immutability with a default policy.',
              advice: lockedBy,
            }),
      },
      removal,
    ];
  } catch (error) {
    const { fact, advice = '' } = explain(error, options);
    return [{ what: `container ${container}`, state: 'advice', detail: fact, advice }, removal];
  }
}

/** What is missing for backups to be kept as they should, as far as it is seen from here; empty when nothing is. */
export async function missingInContainer(options: AzureOptions): Promise<string[]> {
  try {
    const { there, locks } = await protectionOf(options);
    if (!there) return ['the container itself'];
    return locks ? [] : ['version-level immutability with a default policy'];
  } catch (error) {
    throw explain(error, options);
  }
}

async function protectionOf(options: AzureOptions): Promise<{ there: boolean; locks: boolean }> {
  try {
    const client = await createContainerClient(options);
    const { isImmutableStorageWithVersioningEnabled: byVersion, hasImmutabilityPolicy: hasPolicy } =
      await client.getProperties(untilSilent());
    return { there: true, locks: byVersion === true && hasPolicy === true };
  } catch (error) {
    if (codeOf(error) === 'ContainerNotFound') return { there: false, locks: false };
    throw error;
  }
}

function containerCommand({ endpoint, container }: AzureOptions): string {
  const account = accountOf(endpoint);
  return [
    `az storage account blob-service-properties update --account-name ${account} --enable-versioning true`,
    `az storage container-rm create --storage-account ${account} --name ${container} --enable-vlw true`,
  ].join(' && ');
}

/** A policy that is not locked may be taken away: `governance`. */
function lockCommand({ endpoint, container }: AzureOptions, { days, lock }: Retention): string {
  const of = `--account-name ${accountOf(endpoint)} --container-name ${container}`;
  const policy = 'az storage container immutability-policy';
  const etag = `"$(${policy} show ${of} --query etag --output tsv)"`;
  return [
    `${policy} create ${of} --period ${days}`,
    ...(lock === 'compliance' ? [`${policy} lock ${of} --if-match ${etag}`] : []),
  ].join(' && ');
}

/** What is removed from a container with versions becomes an earlier version first, which goes by an age of its own. */
function removalCommand({ endpoint, container }: AzureOptions, cluster: string, { days }: Retention): string {
  const afterCreation = { delete: { daysAfterCreationGreaterThan: days } };
  const rule = {
    enabled: true,
    name: `gitops-backups-${cluster}`,
    type: 'Lifecycle',
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: [`${container}/${backupPrefix(cluster)}`] },
      actions: { baseBlob: afterCreation, version: afterCreation },
    },
  };
  const account = accountOf(endpoint);
  return `az storage account management-policy create --account-name ${account} --resource-group <its group> --policy '${JSON.stringify({ rules: [rule] })}'`;
}
