import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Image } from '../../src/model/delivery/change.ts';

const registry = 'http://localhost:5000/v2';
const source = 'library/debian';
const types = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const blob = z.object({ digest: z.string() });
const manifestSchema = z.looseObject({ config: blob, layers: z.array(blob) });

/**
 * An image in the stack's registry that runs whatever Debian's does, and has a digest of its own: the layers and the
 * configuration are the same, so that a node knows several digests of what it runs.
 */
export async function makeImage(name: string): Promise<Image> {
  const id = randomBytes(3).toString('hex');
  const repository = `argocd-test/${name}`;
  const found = await ask(`${source}/manifests/bookworm-slim`, { headers: { accept: types.join(', ') } });
  const type = found.headers.get('content-type') ?? '';
  const manifest = manifestSchema.parse(await found.json());
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    await ask(`${repository}/blobs/uploads/?mount=${digest}&from=${source}`, { method: 'POST' });
  }
  const body = JSON.stringify({ ...manifest, annotations: { id } });
  const stored = await ask(`${repository}/manifests/${id}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
  });
  return {
    name: `localhost:5000/${repository}`,
    digest: stored.headers.get('docker-content-digest') ?? '',
  };
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  const answer = await fetch(`${registry}/${path}`, request);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
