import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { configSchema, type Config } from './schema.ts';

export interface ConfigProblem {
  /** `environments[0].approval` */
  path: string;
  line: number;
  column: number;
  message: string;
}

/** All that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: ConfigProblem[];

  constructor(file: string, problems: ConfigProblem[]) {
    const lines = problems.map(
      ({ path, line, column, message }) =>
        `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
    );
    super(lines.join('\n'));
    this.problems = problems;
  }
}

/** A configuration is a page or a few; a megabyte is a mistake or an attack. */
const largest = 1024 * 1024;

/** @throws ConfigError with every problem, its line and what is allowed; Error when the file cannot be read */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [
      at(1, 1, `cannot be read (${messageOf(error)}). --config or GITOPS_CONFIG says where it is.`),
    ]);
  }
  return parseConfig(text, file);
}

/** @throws ConfigError */
export function parseConfig(text: string, file = 'gitops.yaml'): Config {
  if (text.length > largest) throw new ConfigError(file, [at(1, 1, 'is larger than a megabyte')]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    version: '1.2',
    strict: true,
  });
  const syntax = [...document.errors, ...document.warnings].map(({ message, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return at(line, col, message.split(' at line ')[0] ?? message);
  });
  if (syntax.length > 0) throw new ConfigError(file, syntax);

  // An alias may stand for a thousand others; a configuration needs none.
  const value: unknown = withoutAliases(document, file);
  const result = configSchema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new ConfigError(
    file,
    result.error.issues.flatMap((issue) => problemsOf(issue, document, lines)),
  );
}

function withoutAliases(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new ConfigError(file, [at(1, 1, 'YAML aliases (*name) are not allowed here; write it out')]);
  }
}

function problemsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  const keys = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code !== 'unrecognized_keys') return [{ ...place(keys), message: issue.message }];
  return issue.keys.map((key) => ({
    ...place([...keys, key]),
    message: `unknown key; see gitops config schema for what is allowed here`,
  }));

  function place(path: (string | number)[]): Omit<ConfigProblem, 'message'> {
    const { line, col } = lines.linePos(offsetOf(document, path));
    return {
      path: path
        .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`))
        .join(''),
      line,
      column: col,
    };
  }
}

/** Where a key stands, or the nearest thing above it that is there. */
function offsetOf(document: Document, path: (string | number)[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const at = (line: number, column: number, message: string): ConfigProblem => ({
  path: '',
  line,
  column,
  message,
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
