import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { listServices, noServices, ownsPath, type Service } from './services.ts';

const files = [
  'services/claims/Dockerfile',
  'services/claims/src/main.py',
  'libs/fhir/index.ts',
  'README.md',
];
const serviceOf = (services: object, name: string, more: string[] = []): Service | undefined =>
  listServices(configuration({ services }), [...files, ...more]).get(name);

const releases = ['manifests/*/overlays/dev/release/**', 'manifests/*/overlays/production/release/**'];

test('a folder with a Dockerfile is a service of its name', () => {
  expect([...listServices(configuration(), [...files, 'services/notes/README.md']).values()]).toEqual([
    {
      name: 'claims',
      path: 'services/claims',
      paths: ['services/claims/**', 'manifests/claims/**'],
      releases,
      image: 'registry.example/team/claims',
      context: 'services/claims',
      dockerfile: 'services/claims/Dockerfile',
      manifests: 'manifests/claims',
      base: 'manifests/claims/base',
    },
  ]);
});

test('shared folders and the test command are every discovered service’s', () => {
  const services = { discover: ['services/*'], shared: ['libs/**'], test: ['make', 'test'] };
  const claims = serviceOf(services, 'claims');
  expect(claims?.test).toEqual(['make', 'test']);
  expect(claims && ownsPath(claims, 'libs/fhir/index.ts')).toBe(true);
});

test('an explicit service lies anywhere, has more paths, its own test, and an image or none', () => {
  const services = {
    explicit: {
      platform: { path: 'manifests/platform', image: false },
      claims: { path: 'legacy/claims', paths: ['schemas/**'], test: ['pytest'] },
    },
  };
  expect(serviceOf(services, 'platform')).toEqual({
    name: 'platform',
    path: 'manifests/platform',
    paths: ['manifests/platform/**'],
    releases,
    manifests: 'manifests/platform',
    base: 'manifests/platform/base',
  });
  expect(serviceOf(services, 'claims')).toMatchObject({
    dockerfile: 'legacy/claims/Dockerfile',
    image: 'registry.example/team/claims',
    test: ['pytest'],
    paths: ['legacy/claims/**', 'manifests/claims/**', 'schemas/**'],
  });
});

test('an image is built from the folder of its service, unless something else is said', () => {
  const claims = (services: object) => serviceOf(services, 'claims');
  const explicit = (more: object) => claims({ explicit: { claims: { path: 'services/claims', ...more } } });
  expect(claims({ discover: ['services/*'], context: 'repository' })).toMatchObject({
    context: '.',
    dockerfile: 'services/claims/Dockerfile',
    paths: ['services/claims/**', 'manifests/claims/**'],
  });
  expect(explicit({})).toMatchObject({ context: 'services/claims' });
  expect(
    explicit({ context: '.', dockerfile: 'build/claims.dockerfile', target: 'app', buildArgs: { GO: '1' } }),
  ).toMatchObject({
    context: '.',
    dockerfile: 'build/claims.dockerfile',
    target: 'app',
    buildArgs: { GO: '1' },
  });
  const own = { path: 'services/claims', context: 'services' };
  expect(claims({ context: 'repository', explicit: { claims: own } })).toMatchObject({ context: 'services' });
  expect(explicit({ image: false, context: '.' })).not.toHaveProperty('context');
});

test('a build from the root of the repository does not make every change a change of the service', () => {
  const services = { context: 'repository', discover: ['services/*'] };
  const explicit = { claims: { path: 'services/claims', paths: ['libs/**'] } };
  const owns = (service: Service | undefined) => service && ownsPath(service, 'libs/fhir/index.ts');
  expect(owns(serviceOf(services, 'claims'))).toBe(false);
  expect(owns(serviceOf({ ...services, explicit }, 'claims'))).toBe(true);
});

test('a service may be the whole repository', () => {
  const whole = serviceOf({ explicit: { whole: { path: '.' } } }, 'whole');
  expect(whole).toMatchObject({ path: '.', context: '.', dockerfile: 'Dockerfile' });
  const owns = (path: string) => whole && ownsPath(whole, path);
  expect(owns('Dockerfile')).toBe(true);
  expect(owns('.dockerignore')).toBe(true);
  expect(owns('manifests/whole/base/deployment.yaml')).toBe(true);
  expect(owns('manifests/whole/overlays/dev/release/kustomization.yaml')).toBe(false);
  // Where no promotion writes, people do.
  expect(owns('services/whole/overlays/dev/release/main.py')).toBe(true);
  expect(owns('manifests/whole/overlays/common/release/patch.yaml')).toBe(true);
});

test('an explicit service takes the place of the discovered one of its name', () => {
  const explicit = { claims: { path: 'elsewhere' } };
  expect(serviceOf({ discover: ['services/*'], explicit }, 'claims')?.path).toBe('elsewhere');
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'nobody asked for a service %s',
  (name) => {
    expect(serviceOf({ discover: ['services/*'] }, name)).toBeUndefined();
  },
);

test.each(['Claims', 'a;id', '$(id)', '__proto__', 'a'.repeat(41), 'сlaims'])(
  'a folder %s is no service, and the reason is told',
  (folder) => {
    const more = [`services/${folder}/Dockerfile`];
    expect(serviceOf({ discover: ['services/*'] }, folder, more)).toBeUndefined();
    expect(noServices(configuration(), [...files, ...more])).toEqual([
      {
        folder: `services/${folder}`,
        reason: expect.stringMatching(/is no name for a service .* Rename the folder/),
      },
    ]);
  },
);

test('two folders of one name are no service, unless one of them is named', () => {
  const discover = ['services/*', 'apps/*'];
  const twice = ['apps/claims/Dockerfile'];
  expect(serviceOf({ discover }, 'claims', twice)).toBeUndefined();
  expect(noServices(configuration({ services: { discover } }), [...files, ...twice])).toHaveLength(2);

  const explicit = { claims: { path: 'apps/claims' } };
  expect(serviceOf({ discover, explicit }, 'claims', twice)?.path).toBe('apps/claims');
  expect(noServices(configuration({ services: { discover, explicit } }), [...files, ...twice])).toEqual([]);
});

test('what a promotion writes is no change of a service, or it would deliver itself', () => {
  const claims = serviceOf({ discover: ['services/*'] }, 'claims');
  expect(claims).toBeDefined();
  const owns = (path: string) => claims && ownsPath(claims, path);
  expect(owns('manifests/claims/base/deployment.yaml')).toBe(true);
  expect(owns('manifests/claims/overlays/dev/kustomization.yaml')).toBe(true);
  expect(owns('manifests/claims/overlays/dev/release/kustomization.yaml')).toBe(false);
  expect(owns('manifests/claims/overlays/production/release/base/deployment.yaml')).toBe(false);
  expect(owns('services/claims2/src/main.py')).toBe(false);
  expect(owns('services/claims/.hidden')).toBe(true);
});

test('whatever files there are, a service lies in a folder that the patterns name', () => {
  const segment = fc.constantFrom(
    'services',
    'apps',
    'claims',
    'web',
    'Dockerfile',
    '..',
    '__proto__',
    'A',
    'a;id',
  );
  const file = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));
  fc.assert(
    fc.property(fc.array(file, { maxLength: 20 }), (all) => {
      for (const { name, path, dockerfile } of listServices(configuration(), all).values()) {
        expect(path).toBe(`services/${name}`);
        expect(all).toContain(dockerfile);
      }
    }),
  );
});
