import { z } from 'zod';
import { KustomizeError } from './index.ts';

const text = z.string();
const labels = z.record(text, text).default({});

/** `spec.source.kustomize` of an Application, as far as it can be followed. What is not here is refused. */
const overridesSchema = z.strictObject({
  namePrefix: text.optional(),
  nameSuffix: text.optional(),
  images: z.array(text).default([]),
  replicas: z.array(z.object({ name: text, count: z.union([z.number(), text]) })).default([]),
  commonLabels: labels,
  forceCommonLabels: z.boolean().default(false),
  labelWithoutSelector: z.boolean().default(false),
  labelIncludeTemplates: z.boolean().default(false),
  commonAnnotations: labels,
  forceCommonAnnotations: z.boolean().default(false),
  namespace: text.optional(),
  components: z.array(text).default([]),
  // These two are given to Helm only.
  kubeVersion: text.optional(),
  apiVersions: z.array(text).optional(),
});

/**
 * The `kustomize edit` commands by which Argo CD brings an Application's own settings into a kustomization, in its order.
 *
 * @throws KustomizeError for settings that cannot be followed: then what is approved would not be what runs
 */
export function overrideArguments(overrides: Record<string, unknown>): string[][] {
  const parsed = overridesSchema.safeParse(overrides);
  if (!parsed.success) {
    throw new KustomizeError(
      `spec.source.kustomize of the Application cannot be followed (${z.prettifyError(parsed.error)}). Write it in the overlay instead.`,
    );
  }
  const it = parsed.data;
  const pairs = (values: Record<string, string>): string[] =>
    Object.entries(values).map(([key, value]) => `${key}:${value}`);
  const flag = (name: string, wanted: boolean): string[] => (wanted ? [name] : []);
  const commands = [
    it.namePrefix && ['set', 'nameprefix', '--', it.namePrefix],
    it.nameSuffix && ['set', 'namesuffix', '--', it.nameSuffix],
    it.images.length > 0 && ['set', 'image', '--', ...it.images],
    it.replicas.length > 0 && [
      'set',
      'replicas',
      '--',
      ...it.replicas.map(({ name, count }) => `${name}=${count}`),
    ],
    Object.keys(it.commonLabels).length > 0 && [
      'add',
      'label',
      ...flag('--force', it.forceCommonLabels),
      ...flag('--without-selector', it.labelWithoutSelector),
      ...flag('--include-templates', it.labelIncludeTemplates),
      '--',
      ...pairs(it.commonLabels),
    ],
    Object.keys(it.commonAnnotations).length > 0 && [
      'add',
      'annotation',
      ...flag('--force', it.forceCommonAnnotations),
      '--',
      ...pairs(it.commonAnnotations),
    ],
    it.namespace && ['set', 'namespace', '--', it.namespace],
    it.components.length > 0 && ['add', 'component', '--', ...it.components],
  ];
  const wanted = commands.filter((command) => Array.isArray(command));
  const variable = wanted
    .flat()
    .find((argument) => argument.includes('$ARGOCD') || argument.includes('${ARGOCD'));
  if (variable !== undefined) {
    throw new KustomizeError(
      `spec.source.kustomize of the Application has ${variable}, which only Argo CD can fill in.`,
    );
  }
  return wanted.map((command) => ['edit', ...command]);
}
