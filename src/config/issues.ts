import type { z } from 'zod';
import { jsonSchema, type Shape } from './json-schema.ts';
import type { Path } from './yaml-positions.ts';

interface Problem {
  path: Path;
  message: string;
  /** Whether it is about the key rather than its value. */
  atKey: boolean;
}

/** What zod has to say about a value, in words of somebody who edits YAML. */
export function inWords(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code === 'unrecognized_keys') {
    const allowed = keysAllowedAt(path);
    const message = `there is no such key. Allowed here: ${allowed.join(', ')}`;
    return issue.keys.map((key) => ({ path: [...path, key], message, atKey: true }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? issue.message, atKey: true }];
  }
  if (issue.code === 'invalid_union') return closestBranch(issue, path);
  return [{ path, message: sentence(issue), atKey: false }];
}

/** Of several shapes, what is wrong with the one that was meant: the only one of the value's own kind. */
function closestBranch({ errors, input, message }: z.core.$ZodIssueInvalidUnion, path: Path): Problem[] {
  const meant = errors.filter((issues) => !issues.some(isOfAnotherKind));
  if (meant.length === 1 && meant[0]) {
    return meant[0].flatMap((issue) => inWords({ ...issue, path: [...path, ...issue.path] }));
  }
  return [{ path, message: `${misfit(input)}: ${message}`, atKey: false }];
}

function misfit(input: unknown): string {
  if (input === undefined) return 'is missing';
  return input === null ? 'is empty' : `${shown(input)} is not allowed here`;
}

const isOfAnotherKind = ({ path, code }: z.core.$ZodIssue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
};

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return wrongKind(issue);
  if (issue.code === 'invalid_value') return notAllowed(issue);
  if (issue.code === 'too_big') return `is at most ${issue.maximum}`;
  if (issue.code !== 'too_small') return issue.message;
  return issue.origin === 'array' || issue.origin === 'string' ? 'is empty' : `is at least ${issue.minimum}`;
}

function wrongKind({ expected, input, message }: z.core.$ZodIssueInvalidType): string {
  const kind = kinds[expected] ?? message;
  if (input === undefined) return `is missing: it takes ${kind}`;
  if (input === null) return `is empty: it takes ${kind}`;
  const quotes = expected === 'string' && typeof input !== 'object' ? ' (put it in quotes)' : '';
  // Not the value itself: it may be a secret that somebody wrote here.
  return `takes ${kind}, not ${kindOf(input)}${quotes}`;
}

function notAllowed({ values, input }: z.core.$ZodIssueInvalidValue): string {
  const allowed = values.map(String);
  const takes = `it takes ${allowed.join(' or ')}`;
  return input === undefined ? `is missing: ${takes}` : `${shown(input)} is not allowed here: ${takes}`;
}

/** What somebody wrote, short, and never a whole page of it. */
const shown = (input: unknown): string =>
  typeof input === 'object' ? kindOf(input) : JSON.stringify(input).slice(0, 60);

function kindOf(input: unknown): string {
  if (input === null) return 'nothing';
  return (Array.isArray(input) ? kinds['array'] : kinds[typeof input]) ?? typeof input;
}

function keysAllowedAt(path: Path): string[] {
  let shape = jsonSchema();
  for (const key of path) shape = child(shape, key);
  return Object.keys(withProperties(shape).properties ?? {});
}

function child(shape: Shape, key: string | number): Shape {
  if (typeof key === 'number') return shape.items ?? {};
  const { properties = {}, additionalProperties } = withProperties(shape);
  const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
  return own ?? (typeof additionalProperties === 'object' ? additionalProperties : {});
}

const withProperties = (shape: Shape): Shape =>
  shape.anyOf?.find(({ properties }) => properties !== undefined) ?? shape;
