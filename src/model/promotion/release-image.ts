import type { Image } from '../delivery/change.ts';
import { howToConfigure, imageFields, type ImageField } from '../image-fields.ts';
import { canonicalName } from '../image-name.ts';
import { isRecord } from '../json.ts';
import { imageDigest, imageName, nameOf, type Manifest } from '../manifests.ts';
import { closestFirst } from '../text/closest.ts';

/** What a release's image is looked for in. */
interface Rendered {
  /** `release/` alone. */
  release: readonly Manifest[];
  /** The overlay that includes it: what would run. */
  overlay: readonly Manifest[];
}

/**
 * Why an environment would not run a release's image, or not by its digest; undefined where it would.
 *
 * @param service whose image it is, and the name under which images of it are built: an adopted one may have another
 */
export function refuseImage(
  image: Image,
  service: { name: string; image: string },
  { release, overlay }: Rendered,
): string | undefined {
  return (
    refuseField(image, release) ??
    refuseBase(image, service, release) ??
    refuseTag(image, { release, overlay }) ??
    refuseReplacement(image, { release, overlay })
  );
}

interface Found extends ImageField {
  manifest: Manifest;
}

const fieldsOf = (manifests: readonly Manifest[]): Found[] =>
  manifests.flatMap((manifest) => imageFields(manifest.object).map((field) => ({ ...field, manifest })));

/** Whether it is an image of that name, however that is spelled, and not the release's. */
const namesOtherwise = (image: Image, used: string): boolean =>
  canonicalName(imageName(used)) === canonicalName(image.name) && imageDigest(used) !== image.digest;

/** Where Kustomize should have put the digest, and does not know that there is an image. */
function refuseField(image: Image, release: readonly Manifest[]): string | undefined {
  // Kustomize takes names as they are spelled: of another spelling it is another image.
  const field = fieldsOf(release).find(
    ({ image: used }) => imageName(used) === image.name && imageDigest(used) !== image.digest,
  );
  if (!field) return undefined;
  const { manifest, where } = field;
  return `${nameOf(manifest)}: ${where} would run ${field.image}, not ${image.digest}. ${howToConfigure(manifest.kind, field)}.`;
}

function refuseBase(
  image: Image,
  service: { name: string; image: string },
  release: readonly Manifest[],
): string | undefined {
  if (release.some(({ object }) => carries(object, image.digest))) return undefined;
  const found = closestFirst(
    image.name,
    fieldsOf(release).map(({ image: used }) => used),
  );
  const has = found.length > 0 ? `its images are ${found.join(', ')}` : 'no image is in it';
  const remedy = `write image: ${image.name} there, without a tag`;
  return image.name === service.image
    ? `base/ of ${service.name} does not name the image ${image.name}: ${has}. To have it run, ${remedy}.`
    : `base/ of ${service.name} does not name the given image ${image.name}: ${has}. Give one as ${service.image}, or ${remedy}.`;
}

/** In whatever field: a kustomization may configure more than we know. */
function carries(value: unknown, digest: string): boolean {
  if (typeof value === 'string') return imageDigest(value) === digest;
  if (Array.isArray(value)) return value.some((item) => carries(item, digest));
  return isRecord(value) && Object.values(value).some((inner) => carries(inner, digest));
}

function refuseTag(image: Image, { release, overlay }: Rendered): string | undefined {
  const field = fieldsOf(overlay).find(({ image: used }) => namesOtherwise(image, used));
  if (!field) return undefined;
  const { manifest, where } = field;
  const isReleased = release.some(({ kind, name }) => kind === manifest.kind && manifest.name.includes(name));
  const remedy = isReleased
    ? 'Remove the override of the image.'
    : 'Move that manifest into base/, where a release puts the digest.';
  return `${nameOf(manifest)}: ${where} would run ${field.image}, not ${image.digest}. ${remedy}`;
}

/** An overlay may take away what the release brings, and give the image another name; but not another image. */
function refuseReplacement(image: Image, { release, overlay }: Rendered): string | undefined {
  const placeOf = ({ manifest: { kind }, where }: Found): string => `${kind} ${where}`;
  const isOurs = ({ image: used }: Found): boolean => imageDigest(used) === image.digest;
  const ours = Map.groupBy(fieldsOf(release).filter(isOurs), placeOf);
  const used = fieldsOf(overlay);
  const usual = new Set(fieldsOf(release).map((field) => `${placeOf(field)} ${field.image}`));
  for (const [place, fields] of ours) {
    const there = used.filter((field) => placeOf(field) === place);
    if (there.filter(isOurs).length >= fields.length) continue;
    const other = there.find((field) => !isOurs(field) && !usual.has(`${place} ${field.image}`));
    if (!other) continue;
    const { manifest, where } = other;
    return `${nameOf(manifest)}: ${where} would run ${other.image}. The overlay replaces the image ${image.name} of the release. Remove that override.`;
  }
  if (overlay.some(({ object }) => carries(object, image.digest))) return undefined;
  return `Nothing that the overlay renders has the image ${image.name} of the release. Say resources: [release] in its kustomization.yaml, and keep what runs that image.`;
}
