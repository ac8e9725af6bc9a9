import type { z } from 'zod';
import { milliseconds } from './duration.ts';
import { defaultNamespace } from './environments.ts';
import { decidersOf } from './people.ts';
import type { Config } from './schema.ts';
import { sourceKey } from './sources.ts';

type Problem = (path: (string | number)[], message: string) => void;

/** What must hold between keys: checked once each of them is right by itself. */
export function rules(config: Config, context: z.RefinementCtx): void {
  const problem: Problem = (path, message) => context.addIssue({ code: 'custom', path, message });
  environmentRules(config, problem);
  approvalRules(config, problem);
  peopleRules(config, problem);
  sourceRules(config, problem);
  const { discover, explicit } = config.services;
  if (discover.length === 0 && Object.keys(explicit).length === 0) {
    problem(['services'], 'names no service: put folders into discover, or services into explicit');
  }
  keyRules(['objects'], config.objects, problem);
  backupRules(config, problem);
}

function sourceRules({ services, repository }: Config, problem: Problem): void {
  const credentials = new Map<string, string>();
  for (const [name, { source, image }] of Object.entries(services.explicit)) {
    if (!source) continue;
    const at = ['services', 'explicit', name, 'source'];
    if (placeOf(source.repository) === placeOf(repository.url)) {
      problem(
        [...at, 'repository'],
        'is the repository of the manifests, whose services need no source: remove it',
      );
    }
    if (!image) {
      problem(
        ['services', 'explicit', name, 'image'],
        'nothing of the source would reach an environment without an image: remove source, or image',
      );
    }
    const key = sourceKey(source);
    const own = JSON.stringify([source.token, source.caFile]);
    if (own !== (credentials.get(key) ?? own)) {
      problem(at, `another service reads ${source.repository} by another token or caFile: write the same`);
    }
    credentials.set(key, own);
  }
}

/** However a clone URL is spelled. */
const placeOf = (url: string): string =>
  url
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/\.git$/, '');

function backupRules({ backup, objects }: Config, problem: Problem): void {
  if (!backup) return;
  const { bucket, container, endpoint, recovery } = backup;
  keyRules(['backup'], backup, problem);
  keyRules(['backup', 'recovery'], recovery, problem);
  if ((bucket === undefined) === (container === undefined)) {
    problem(['backup'], 'takes either a bucket (of S3) or a container (of Azure Blob Storage)');
  } else if (container !== undefined && endpoint === undefined) {
    problem(['backup'], 'container needs an endpoint: https://<account>.blob.core.windows.net');
  }
  const [foreign, own] =
    bucket === undefined
      ? (['accessKeyId', 'a container takes a credential'] as const)
      : (['credential', 'a bucket takes accessKeyId and secretAccessKey'] as const);
  if (backup[foreign] !== undefined) problem(['backup', foreign], own);
  if (recovery[foreign] !== undefined) problem(['backup', 'recovery', foreign], own);
  if (bucket === objects.bucket && endpoint === objects.endpoint) {
    problem(
      ['backup', 'bucket'],
      'takes a bucket of its own: in a locked one, documents that change every day are kept in every version',
    );
  }
}

interface AccessKey {
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
}

function keyRules(path: string[], { accessKeyId, secretAccessKey }: AccessKey, problem: Problem): void {
  if ((accessKeyId === undefined) === (secretAccessKey === undefined)) return;
  problem(path, 'accessKeyId and secretAccessKey go together: set both or neither');
}

function environmentRules({ platform, environments }: Config, problem: Problem): void {
  const names = environments.map(({ name }) => name);
  const applications = environments.map(({ name, application }) =>
    application.replaceAll('{environment}', name),
  );
  const namespaces = environments.map(({ name, namespace }) => namespace ?? defaultNamespace(platform, name));
  for (const [index, { name, namespace, healthy, bake }] of environments.entries()) {
    const at = (key: string) => ['environments', index, key];
    const [inPlace = ''] = namespaces.slice(index);
    const sharer = names[namespaces.indexOf(inPlace)];
    if (names.indexOf(name) !== index) problem(at('name'), `there are two environments ${name}`);
    else if (name === 'end')
      problem(at('name'), 'end is how the end of a delivery is waited for: take another name');
    else if (applications.indexOf(applications[index] ?? '') !== index) {
      problem(
        at('application'),
        'another environment has Applications of the same names: put {environment} into it',
      );
    } else if (sharer !== name) {
      problem(
        at('namespace'),
        `${inPlace} is the namespace of ${sharer}, whose objects these would replace: give each environment one of its own`,
      );
    }
    if (namespace === undefined && inPlace.length > 63) {
      problem(at('namespace'), `is needed here: ${inPlace} is longer than the 63 characters of a namespace`);
    }
    if (bake !== undefined && milliseconds(bake) >= milliseconds(healthy)) {
      problem(at('bake'), `${bake} does not fit into healthy (${healthy}), which is all the time there is`);
    }
  }
}

function approvalRules({ environments, identity, people }: Config, problem: Problem): void {
  const deciders = decidersOf({ people }).length;
  for (const [index, { entersBy, approval, sync, whileAsked }] of environments.entries()) {
    const at = ['environments', index, 'approval'];
    if (entersBy === 'push' && approval !== 'none') {
      problem(at, 'nobody can approve a push: set entersBy to pull-request, or approval to none');
    }
    if (typeof approval === 'string') continue;
    if (identity === undefined) {
      problem(
        at,
        'decisions carry the name that their sender gives. If you trust all who reach the Temporal namespace, write identity: trusted-namespace',
      );
    }
    if (sync === 'automated' && entersBy !== 'push') {
      problem(
        ['environments', index, 'sync'],
        'Argo CD would sync whatever somebody merges, without the decisions: set it to manual, and take automated out of the Applications',
      );
    }
    if (whileAsked === 'replace') {
      problem(
        ['environments', index, 'whileAsked'],
        'decisions that people were asked for are never taken back: set it to wait where approval has a quorum',
      );
    }
    if (approval.quorum > deciders) {
      problem(
        [...at, 'quorum'],
        `${approval.quorum} must approve, but ${deciders} of people may decide: add people, or ask for fewer`,
      );
    }
  }
}

/** One login or address for two people, and nobody knew whose commit or review it is. */
function peopleRules({ people }: Config, problem: Problem): void {
  const owners = new Map<string, string>();
  for (const [name, { forge, emails }] of Object.entries(people)) {
    const claims: [string, (string | number)[]][] = [
      ...(forge === undefined
        ? []
        : [[`login ${forge.toLowerCase()}`, ['forge']] satisfies [string, string[]]]),
      ...emails.map((email, i): [string, (string | number)[]] => [
        `address ${email.toLowerCase()}`,
        ['emails', i],
      ]),
    ];
    for (const [claim, key] of claims) {
      const owner = owners.get(claim) ?? name;
      if (owner !== name) problem(['people', name, ...key], `the ${claim} is ${owner}'s already`);
      owners.set(claim, owner);
    }
  }
}
