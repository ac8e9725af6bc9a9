import { isRecord } from './json.ts';

/** A field of an object that names an image. */
export interface ImageField {
  /** `container app`, or its path: `spec.runtime.image`. */
  where: string;
  /** As a rule of Kustomize's `configurations` names it: `spec/template/spec/containers[]/image`. */
  fieldPath: string;
  image: string;
  /** Kustomize gives images to these by itself: containers anywhere in an object, whatever its kind. */
  isContainers: boolean;
}

const containers = /(?:^|\.)(?:initContainers|containers)\[([^\]]*)\]\.image$/;

/** All fields called `image`, `imageName`, or something that ends with it; of data that pods read nobody knows what it means. */
export const imageFields = (object: Record<string, unknown>): ImageField[] =>
  ['ConfigMap', 'Secret'].includes(String(object['kind'])) ? [] : fieldsIn(object, '');

function fieldsIn(value: unknown, path: string): ImageField[] {
  if (typeof value === 'string')
    return /(?:^|\.)\w*image(?:name|ref|url|uri)?$/i.test(path) ? [field(path, value)] : [];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const name = isRecord(item) && typeof item['name'] === 'string' ? item['name'] : index;
      return fieldsIn(item, `${path}[${name}]`);
    });
  }
  if (!isRecord(value)) return [];
  return Object.entries(value)
    .filter(([key]) => key !== 'metadata')
    .flatMap(([key, inner]) => fieldsIn(inner, path === '' ? key : `${path}.${key}`));
}

function field(path: string, image: string): ImageField {
  const container = containers.exec(path)?.[1];
  return {
    where: container === undefined ? path : `container ${container}`,
    fieldPath: path.replaceAll(/\[[^\]]*\]/g, '[]').replaceAll('.', '/'),
    image,
    isContainers: container !== undefined,
  };
}

/** What to tell whoever has an image in a field that Kustomize leaves alone. */
export const howToConfigure = (kind: string, { fieldPath }: ImageField): string =>
  `Kustomize changes images of containers only: let base/kustomization.yaml say configurations: [images.yaml], and base/images.yaml say images: [{ path: ${fieldPath}, kind: ${kind} }]`;
