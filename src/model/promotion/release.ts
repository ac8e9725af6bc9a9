import { changeName, type Release, type Source } from '../delivery/change.ts';

/** What a `release/` folder says of itself. */
export interface WrittenRelease extends Pick<Release, 'change' | 'image'> {
  /** Where its manifests are of another repository than the change: of which commit. */
  source?: Pick<Source, 'manifests'>;
}

/**
 * The `kustomization.yaml` of a `release/` folder: deterministic, so that the same release is the same Git tree.
 * The tag is for people, the digest is what runs.
 */
export function releaseKustomization({ change, source, image }: WrittenRelease): string {
  const lines = [
    `# Release of ${changeName(change)}`,
    ...(source?.manifests === undefined ? [] : [`# Manifests of ${source.manifests}`]),
    '# Written by gitops at every promotion. What people change belongs into the overlay beside this folder.',
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    'resources:',
    '  - base',
  ];
  if (image) {
    lines.push(
      'images:',
      `  - name: ${image.name}`,
      `    newName: ${image.name}`,
      `    newTag: ${yamlText(change.commit)}`,
      `    digest: ${image.digest}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** YAML reads some commits as numbers (`12e9…`); all others stand as every release has written them. */
const yamlText = (commit: string): string =>
  /^(?:0b[01]+|[0-9]+(?:e[0-9]+)?)$/.test(commit) ? `"${commit}"` : commit;

const pattern =
  /^# Release of ([a-z0-9-]+)\/([0-9a-f]{40})\n(?:# Manifests of ([0-9a-f]{40})\n)?[^]*?(?: {2}- name: (\S+)\n[^]*? {4}digest: (sha256:[0-9a-f]{64})\n)?$/;

/** The release that such a file was written for; undefined when a person wrote or touched it. */
export function parseReleaseKustomization(text: string): WrittenRelease | undefined {
  const [, service, commit, manifests, name, digest] = pattern.exec(text) ?? [];
  if (service === undefined || commit === undefined) return undefined;
  const release: WrittenRelease = {
    change: { service, commit },
    ...(manifests !== undefined && { source: { manifests } }),
    ...(name !== undefined && digest !== undefined && { image: { name, digest } }),
  };
  return releaseKustomization(release) === text ? release : undefined;
}

/** Message of the commit that writes a release. */
export function releaseMessage(environment: string, { change, source, image }: Release): string {
  return [
    `release: ${change.service} ${change.commit.slice(0, 12)} to ${environment}`,
    '',
    source.subject,
    '',
    `Gitops-Change: ${changeName(change)}`,
    `Gitops-Environment: ${environment}`,
    ...(image ? [`Gitops-Image: ${image.name}@${image.digest}`] : []),
  ].join('\n');
}
