import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tools, wheels } from '../scripts/stack/binaries.ts';
import { images } from '../scripts/stack/images.ts';

/**
 * The first start of the stack, in which each part is there when its build ends: on a copy of the checkout, which has
 * nothing yet, while this one's stack is stopped. What starts too early for a part shows when that part is last. Two
 * orders are enough: in one of them, all that a system says it needs comes before whatever else it might need.
 */
const checkout = fileURLToPath(new URL('..', import.meta.url));
const minutes = 60_000;

/** A first start takes a minute and a half on two cores that do nothing else. */
const patience = 8 * minutes;

const cluster = ['etcd', 'kube-apiserver', 'kubectl'];
const rest = [
  ...['image-pause', 'kubelet', 'kube-proxy', 'coredns', 'kube-controller-manager', 'kube-scheduler'],
  ...['image-redis', 'argocd', 'image-argocd', 'kustomize', 'pause', 'jsonnet', 'sealed-secrets', 'kubeseal'],
  ...['image-debian', 'image-sealed-secrets', 'image-python', 'image-node'],
];
const outside = ['wheels', 'gitea'];

let copy: string;

beforeAll(async () => {
  await execa('make', ['stop'], { cwd: checkout });
  copy = mkdtempSync(join(tmpdir(), 'gitops-build-order-'));
  for (const part of [
    'Makefile',
    'package.json',
    'package-lock.json',
    'bin',
    'scripts',
    'stack',
    'examples',
  ]) {
    cpSync(join(checkout, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'));
}, minutes);

afterAll(async () => {
  await inCopy('stop.ts');
  rmSync(copy, { recursive: true });
  await execa('make', ['systems'], { cwd: checkout });
}, patience);

const inCopy = (script: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
  execa(process.execPath, [join(copy, 'scripts/stack', script), ...args], { all: true, env });

test.for([
  ['as they are wanted', [...outside, ...cluster, ...rest]],
  ['the other way round', [...cluster, ...rest.toReversed(), ...outside.toReversed()]],
] as const)(
  'on its first start the stack comes up without a hitch, whichever build ends last: %s',
  { timeout: patience },
  async ([, order]) => {
    const all = [wheels, ...Object.values(tools), ...Object.values(images)].map(({ name }) => name);
    expect(order.toSorted()).toEqual(all.toSorted());

    await inCopy('stop.ts');
    rmSync(join(copy, '.stack'), { recursive: true, force: true });
    const { all: said } = await inCopy('up.ts', ['--systems'], { GITOPS_STACK_BUILD_ORDER: order.join(' ') });
    expect(said?.match(/(?<= )\S+(?= is let go)/g)).toEqual(order);
    expect(said).not.toContain('starting it again');
  },
);
