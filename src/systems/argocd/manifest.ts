import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Manifest } from '../../model/manifests.ts';
import { parseManifests } from '../kustomize/parse.ts';
import { rootCause, SystemError } from '../system-error.ts';
import { WrongManifest } from './index.ts';

/** What Argo CD is installed from, in the order of its manifest. */
export interface Installation {
  definitions: Manifest[];
  /** Deployments and StatefulSets. */
  workloads: Manifest[];
  others: Manifest[];
  /** Of Argo CD, where the image's tag tells it. */
  version?: string;
}

/** Longer than a slow line takes for its two megabytes. */
const fetchMs = 120_000;

/**
 * Reads the pinned manifest.
 *
 * @param manifest absolute path, or https URL
 * @throws WrongManifest, SystemError: it cannot be read
 */
export async function readInstallation({
  manifest,
  sha256,
}: {
  manifest: string;
  sha256: string;
}): Promise<Installation> {
  const bytes = await (manifest.startsWith('https://') ? fetched(manifest) : read(manifest));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) {
    throw new WrongManifest(`${manifest} has SHA-256 ${found}, and argocd.install.sha256 says ${sha256}.`, {
      advice:
        'Look at what changed in it. If that is right, write the new hash into gitops.yaml; else bring the old file back.',
    });
  }
  const known = installations.get(sha256) ?? installationIn(bytes.toString('utf8'), manifest);
  installations.set(sha256, known);
  return known;
}

/** Two megabytes of YAML take seconds to parse: each process does so once. */
const installations = new Map<string, Installation>();

function installationIn(text: string, manifest: string): Installation {
  const objects = parseManifests(text);
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const workloads = objects.filter(isWorkload);
  if (!definitions.some(canHoldBack)) {
    throw new WrongManifest(
      `${manifest} defines no Applications whose automated sync has a switch (enabled).`,
      {
        advice: 'Take the manifest of Argo CD 3.1 or later: without that, all of them would sync at once.',
      },
    );
  }
  const version = workloads.flatMap(versionOf)[0];
  return {
    definitions,
    workloads,
    others: objects.filter((one) => !definitions.includes(one) && !workloads.includes(one)),
    ...(version !== undefined && { version }),
  };
}

const isWorkload = ({ kind }: Manifest): boolean => kind === 'Deployment' || kind === 'StatefulSet';

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new SystemError(`The manifest of Argo CD cannot be read: ${rootCause(error)}.`, {
      advice:
        'argocd.install.manifest in gitops.yaml says where it is, on the machines of the queue recovery.',
    });
  });
}

async function fetched(url: string): Promise<Buffer> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(fetchMs) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    throw new SystemError(`The manifest of Argo CD cannot be fetched from ${url}: ${rootCause(error)}.`, {
      advice: 'A file beside gitops.yaml (argocd.install.manifest) needs no network.',
    });
  }
}

const schemaNode: z.ZodType<{ properties?: Record<string, unknown> | undefined }> = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
});
const definitionSchema = z.looseObject({
  spec: z.looseObject({
    versions: z.array(z.looseObject({ schema: z.looseObject({ openAPIV3Schema: schemaNode }).optional() })),
  }),
});

/** The API server drops what a definition does not know, so an Argo CD without the switch would just sync. */
function canHoldBack({ name, object }: Manifest): boolean {
  if (name !== 'applications.argoproj.io') return false;
  return definitionSchema.parse(object).spec.versions.every(({ schema }) => {
    let node: unknown = schema?.openAPIV3Schema;
    for (const key of ['spec', 'syncPolicy', 'automated', 'enabled']) {
      node = schemaNode.safeParse(node).data?.properties?.[key];
    }
    return node !== undefined;
  });
}

const podSpecSchema = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string() })) }),
    }),
  }),
});

function versionOf({ name, object }: Manifest): string[] {
  if (!name.endsWith('application-controller')) return [];
  const { containers } = podSpecSchema.parse(object).spec.template.spec;
  return containers.flatMap(({ image }) => versionInTag(image) ?? []);
}

/** The version that the tag of an image tells. */
export const versionInTag = (image: string): string | undefined =>
  /:(v?\d+\.\d+[\w.+-]*)(@|$)/.exec(image)?.[1];
