import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { KubernetesObject } from '../../model/recovery/backup-contents.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { listAll } from '../kubernetes/list.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';

const sealingKeyLabel = 'sealedsecrets.bitnami.com/sealed-secrets-key';

export const isSealingKey = ({ metadata }: KubernetesObject): boolean =>
  metadata.labels?.[sealingKeyLabel] !== undefined;

/** A key of the sealed-secrets controller. */
export interface SealingKey {
  name: string;
  /** Of the certificate, by which people seal; the key itself is never named. */
  fingerprint: string;
  /** Since when it is valid: an object that was restored is younger than its key. */
  madeAt?: Date;
  object: KubernetesObject;
}

export async function* listSealingKeys(
  kubernetes: Kubernetes,
  namespace: string,
): AsyncGenerator<SealingKey> {
  const secrets = listAll(kubernetes, `${namespacePath(namespace)}/secrets`, sealingKeyLabel);
  for await (const object of secrets) {
    const { name } = object.metadata;
    const certificate = certificateOf(object);
    yield certificate
      ? { name, fingerprint: certificate.fingerprint256, madeAt: new Date(certificate.validFrom), object }
      : { name, fingerprint: 'unreadable', object };
  }
}

function certificateOf({ data }: KubernetesObject): X509Certificate | undefined {
  const { 'tls.crt': certificate = '' } = z.object({ 'tls.crt': z.string().optional() }).parse(data ?? {});
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64'));
  } catch {
    return undefined;
  }
}
