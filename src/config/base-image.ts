import { parseAllDocuments } from 'yaml';
import { howToConfigure, imageFields, type ImageField } from '../model/image-fields.ts';
import { isRecord } from '../model/json.ts';
import { imageName } from '../model/manifests.ts';
import { closestFirst } from '../model/text/closest.ts';
import { isKustomization } from './kustomization.ts';
import type { LayoutProblem, Tree } from './tree.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';

/** With these a kustomization puts images together, or where we do not know of: only rendering tells what comes out. */
const composing = ['replacements', 'vars', 'transformers', 'generators', 'configurations'];

/** A document of a file in base/. */
interface Part {
  file: string;
  content: unknown;
}

/**
 * A release gives its digest to what names its image, so base/ has to. What only rendering shows is left to the promotion,
 * which renders before it writes.
 */
export async function baseImageProblems(
  { registry }: Pick<Config, 'registry'>,
  { name, image, base }: Service,
  tree: Tree,
): Promise<LayoutProblem[]> {
  const parts = await partsOf(base, tree);
  const [kustomizations, objects] = [true, false].map((wanted) =>
    parts.filter(({ file }) => isKustomization(file) === wanted),
  ) as [Part[], Part[]];
  const composes = kustomizations.some(
    ({ content }) => isRecord(content) && composing.some((key) => key in content),
  );
  if (image === undefined || composes) return [];

  // An adopted image may have one of the other names.
  const wanted = new Set([image, ...registry.allowed]);
  const isWanted = (text: string): boolean => wanted.has(imageName(text));
  const fields = objects.flatMap(fieldsOf);
  const unknown = fields.filter((field) => isWanted(field.image) && !field.isContainers);
  if (unknown.length > 0) {
    return unknown.map((field) => ({
      path: field.file,
      message: `has the image of ${name} in ${field.where} of ${field.kind}, where no release would change it. ${howToConfigure(field.kind, field)}`,
    }));
  }
  if (fields.some((field) => isWanted(field.image))) return [];
  // Patches that are lists of operations, or stand in a kustomization, and names that it gives to images.
  const texts = parts.flatMap(({ content }) => textsIn(content));
  if (texts.some((text) => isWanted(text) || namesOneOf(text, wanted))) return [];
  const found = closestFirst(
    image,
    fields.map((field) => field.image),
  );
  const has = found.length > 0 ? `its images are ${found.join(', ')}` : 'no image is in it';
  const message = `does not name the image ${image}, so that nothing would run what is built: ${has}; write image: ${image}, without a tag`;
  return [{ path: base, message }];
}

async function partsOf(base: string, tree: Tree): Promise<Part[]> {
  const files = tree.files.filter(
    (file) => file.startsWith(`${base}/`) && (/\.(?:ya?ml|json)$/.test(file) || isKustomization(file)),
  );
  const parts: Part[] = [];
  for (const file of files) {
    for (const content of documentsIn((await tree.read(file)) ?? '')) parts.push({ file, content });
  }
  return parts;
}

/** What cannot be read is told by Kustomize. */
function documentsIn(text: string): unknown[] {
  try {
    return parseAllDocuments(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' }).map(
      (document): unknown => document.toJS({ maxAliasCount: 100 }),
    );
  } catch {
    return [];
  }
}

function fieldsOf({ file, content }: Part): (ImageField & { file: string; kind: string })[] {
  if (!isRecord(content)) return [];
  if (Array.isArray(content['items'])) {
    return content['items'].flatMap((item: unknown) => fieldsOf({ file, content: item }));
  }
  const kind = typeof content['kind'] === 'string' ? content['kind'] : 'an object';
  return imageFields(content).map((field) => ({ ...field, file, kind }));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}

const namesOneOf = (text: string, names: ReadonlySet<string>): boolean =>
  text.split(/[^\w./:@-]+/).some((word) => names.has(imageName(word)));
