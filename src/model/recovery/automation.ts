import { z } from 'zod';

/** An object of a backup, as far as it syncs by itself. */
export type Automatic = { kind: string } & Record<string, unknown>;

const record = z.record(z.string(), z.unknown());
const syncPolicy = z.looseObject({ automated: record.nullish() });
const applicationSpec = z.looseObject({ syncPolicy: syncPolicy.nullish() });
const applicationSetSpec = z.looseObject({
  template: z.looseObject({ spec: applicationSpec }),
  ignoreApplicationDifferences: z.array(z.unknown()).nullish(),
  strategy: z.unknown().optional(),
});

/** Where an Application says whether it syncs by itself. */
const automatedPath = '/spec/syncPolicy/automated';

/**
 * The object so that nothing syncs before it is told to. An Application keeps all but the switch. An ApplicationSet is to
 * leave that switch alone in the Applications that are there, whatever its template, its generators' and its patches say;
 * starts those off that it makes anew; and gives up its own order of syncs, by which it would start some itself.
 *
 * @throws ZodError: it is none of Argo CD's
 */
export function heldBack<T extends Automatic>(object: T): T {
  if (object.kind === 'Application') {
    return { ...object, spec: switchedOff(applicationSpec.parse(object['spec'])) };
  }
  if (object.kind !== 'ApplicationSet') return object;
  const {
    strategy: _,
    template,
    ignoreApplicationDifferences,
    ...spec
  } = applicationSetSpec.parse(object['spec']);
  const ignored = [...(ignoreApplicationDifferences ?? []), { jsonPointers: [automatedPath] }];
  return {
    ...object,
    spec: {
      ...spec,
      template: { ...template, spec: switchedOff(template.spec) },
      ignoreApplicationDifferences: ignored,
    },
  };
}

/**
 * The merge patch that takes back what `heldBack` did, or undefined where it did nothing.
 *
 * @param object as the backup has it
 */
export function givenBack(object: Automatic): object | undefined {
  if (object.kind === 'Application') {
    const spec = switchOn(applicationSpec.parse(object['spec']));
    return spec && { spec };
  }
  if (object.kind !== 'ApplicationSet') return undefined;
  const {
    strategy = null,
    template,
    ignoreApplicationDifferences = null,
  } = applicationSetSpec.parse(object['spec']);
  const spec = switchOn(template.spec);
  return { spec: { strategy, ignoreApplicationDifferences, ...(spec && { template: { spec } }) } };
}

type ApplicationSpec = z.infer<typeof applicationSpec>;

function switchedOff(spec: ApplicationSpec): ApplicationSpec {
  const { automated } = spec.syncPolicy ?? {};
  if (!automated) return spec;
  return { ...spec, syncPolicy: { ...spec.syncPolicy, automated: { ...automated, enabled: false } } };
}

function switchOn({ syncPolicy }: ApplicationSpec): object | undefined {
  const { automated } = syncPolicy ?? {};
  return automated ? { syncPolicy: { automated: { enabled: null, ...automated } } } : undefined;
}
