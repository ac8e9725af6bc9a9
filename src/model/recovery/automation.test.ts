import { expect, test } from 'vitest';
import { givenBack, heldBack, type Automatic } from './automation.ts';

const application = (syncPolicy?: object): Automatic => ({
  kind: 'Application',
  spec: { project: 'default', ...(syncPolicy && { syncPolicy }) },
});

const applicationSet = (more: object = {}, syncPolicy?: object): Automatic => ({
  kind: 'ApplicationSet',
  spec: { generators: [{}], template: { metadata: {}, spec: application(syncPolicy)['spec'] }, ...more },
});

/** As the API server does (https://www.rfc-editor.org/rfc/rfc7386). */
function merged(object: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(object as object) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

test('an Application that syncs by itself keeps how, and does not', () => {
  const automated = { prune: true, selfHeal: true };
  const retry = { limit: 3 };
  expect(heldBack(application({ automated, retry }))).toEqual(
    application({ automated: { ...automated, enabled: false }, retry }),
  );
  expect(heldBack(application({ automated: {} }))).toEqual(application({ automated: { enabled: false } }));
});

test.for([application(), application({ retry: { limit: 3 } }), { kind: 'AppProject', spec: {} }])(
  'what does not sync by itself stays as it is: %o',
  (object) => {
    expect(heldBack(object)).toEqual(object);
    expect(givenBack(object)).toBeUndefined();
  },
);

test('an ApplicationSet leaves that to the Applications, starts new ones off and gives up its order', () => {
  const ignored = { jsonPointers: ['/spec/source/targetRevision'] };
  const strategy = { type: 'RollingSync' };
  const held = heldBack(
    applicationSet({ strategy, ignoreApplicationDifferences: [ignored] }, { automated: { prune: true } }),
  );
  const ignoreApplicationDifferences = [ignored, { jsonPointers: ['/spec/syncPolicy/automated'] }];
  expect(held).toEqual(
    applicationSet({ ignoreApplicationDifferences }, { automated: { prune: true, enabled: false } }),
  );
});

test.for([
  application({ automated: {} }),
  application({ automated: { prune: true } }),
  application({ automated: { enabled: true, selfHeal: true } }),
  application({ automated: { enabled: false } }),
  applicationSet(),
  applicationSet({}, { automated: { prune: true }, retry: { limit: 3 } }),
  applicationSet({
    strategy: { type: 'RollingSync' },
    ignoreApplicationDifferences: [{ jsonPointers: ['/spec/info'] }],
  }),
])('what was held back is given back as it was: %o', (object) => {
  expect(merged(heldBack(object), givenBack(object))).toEqual(object);
});
