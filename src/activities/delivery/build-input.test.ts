import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { listServices, type Service } from '../../config/services.ts';
import { buildInput } from './build-input.ts';

let checkout: string;

beforeEach(async () => {
  checkout = await realpath(await mkdtemp(join(tmpdir(), 'checkout-')));
  for (const file of ['Dockerfile', 'src/orders/Dockerfile', 'build/orders.Dockerfile']) {
    await mkdir(join(checkout, dirname(file)), { recursive: true });
    await writeFile(join(checkout, file), 'FROM scratch\n');
  }
  return () => rm(checkout, { recursive: true });
});

const orders = (more: object = {}): Service => {
  const services = { explicit: { orders: { path: 'src/orders', ...more } } };
  const service = listServices(configuration({ services }), []).get('orders');
  return service ?? expect.unreachable();
};

test('an image is built where its service says', async () => {
  expect(await buildInput(checkout, orders())).toEqual({
    context: join(checkout, 'src/orders'),
    dockerfile: join(checkout, 'src/orders/Dockerfile'),
  });
  const elsewhere = { context: '.', dockerfile: 'build/orders.Dockerfile', buildArgs: { COLOUR: 'red' } };
  expect(await buildInput(checkout, orders(elsewhere))).toEqual({
    context: checkout,
    dockerfile: join(checkout, 'build/orders.Dockerfile'),
    buildArgs: { COLOUR: 'red' },
  });
  expect(await buildInput(checkout, orders({ path: '.' }))).toEqual({
    context: checkout,
    dockerfile: join(checkout, 'Dockerfile'),
  });
});

test.each([
  ['context', '/etc', { context: 'linked' }, 'linked'],
  ['context', '..', { context: 'linked' }, 'linked'],
  ['Dockerfile', '/etc/hostname', { dockerfile: 'linked' }, 'linked'],
  ['Dockerfile', '../../../../../etc/hostname', { dockerfile: 'linked' }, 'linked'],
  ['folder above it', '/etc', { dockerfile: 'linked/hostname' }, 'linked/hostname'],
])('a %s that is a link to %s is refused', async (_, target, build, name) => {
  await symlink(target, join(checkout, 'linked'));
  await expect(buildInput(checkout, orders(build))).rejects.toMatchObject({
    type: 'Refused',
    message: `${name} is a link that leads out of the repository. Put what it names into it.`,
  });
});

test.each(['.dockerignore', '.containerignore', 'Dockerfile.dockerignore'])(
  'a %s that is a link out of the repository is refused',
  async (name) => {
    await symlink('/etc/hostname', join(checkout, 'src/orders', name));
    await expect(buildInput(checkout, orders())).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(/ignore is a link that leads out of the repository/) as string,
    });
  },
);

test('a link within the repository is followed, and one to nothing is told', async () => {
  await symlink('src', join(checkout, 'linked'));
  expect(await buildInput(checkout, orders({ context: 'linked/orders' }))).toMatchObject({
    context: join(checkout, 'src/orders'),
  });
  await expect(buildInput(checkout, orders({ context: 'nowhere' }))).rejects.toMatchObject({
    type: 'Refused',
    message: 'nowhere is not there. See services in gitops.yaml.',
  });
});
