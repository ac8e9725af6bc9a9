import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isNode, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { inWords } from './issues.ts';
import { configSchema, type Config } from './schema.ts';
import { lineAndColumn, pathText } from './yaml-positions.ts';

export interface ConfigProblem {
  /** `environments[0].approval`; empty for the file itself. */
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
    super(problems.map((problem) => problemLine(file, problem)).join('\n'));
    this.problems = problems;
  }
}

/** As compilers and linters write it, so that editors and terminals make it a link. */
export const problemLine = (file: string, { path, line, column, message }: ConfigProblem): string =>
  `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;

/** A configuration is a page or a few; a megabyte is a mistake or an attack. */
const largest = 1024 * 1024;

/** @throws ConfigError with every problem, its line and what is allowed */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigError(file, [
      atStart(`cannot be read (${code}). --config or GITOPS_CONFIG says where the configuration is.`),
    ]);
  }
  return withAbsolutePaths(parseConfig(text, file), dirname(resolve(file)));
}

/** Makes paths absolute: whoever gets the configuration does not know where its file is. */
function withAbsolutePaths(config: Config, folder: string): Config {
  const { argocd, recreation } = config;
  const { install } = argocd;
  const { drill } = recreation;
  const absolute = (path: string): string => (path.startsWith('https://') ? path : resolve(folder, path));
  return {
    ...config,
    argocd: {
      ...argocd,
      ...(install && { install: { ...install, manifest: absolute(install.manifest) } }),
    },
    recreation: {
      ...recreation,
      ...(drill && { drill: { ...drill, kubeconfig: absolute(drill.kubeconfig) } }),
    },
  };
}

/**
 * @param file what problems call it
 * @throws ConfigError
 */
export function parseConfig(text: string, file = 'gitops.yaml'): Config {
  if (text.length > largest) throw new ConfigError(file, [atStart('is larger than a megabyte')]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    version: '1.2',
    strict: true,
  });
  const syntax = [...document.errors, ...document.warnings].map((error) => syntaxProblem(error, lines));
  // A key that stands twice is a problem, and there may be others: go on. What is no YAML has no others.
  const noYaml = [...document.errors, ...document.warnings].some(({ code }) => code !== 'DUPLICATE_KEY');
  if (noYaml) throw new ConfigError(file, syntax.slice(0, mostSyntaxProblems));
  const refused = needless(document, lines);
  if (refused.length > 0) throw new ConfigError(file, refused.slice(0, mostSyntaxProblems));

  const result = configSchema.safeParse(document.toJS(), { reportInput: true });
  if (result.success && syntax.length === 0) return result.data;
  const issues = result.success ? [] : result.error.issues.flatMap(inWords);
  const problems = issues.map(({ path, message, atKey }) => {
    const { line, column } = lineAndColumn(document, lines, path, atKey);
    return { path: pathText(path), line, column, message };
  });
  const inOrder = [...syntax, ...firstOfEachPath(problems)].toSorted(
    (a, b) => a.line - b.line || a.column - b.column,
  );
  throw new ConfigError(file, inOrder);
}

/** The first mistake makes the parser stumble over what follows. */
const mostSyntaxProblems = 3;

function syntaxProblem({ code, message, pos: [offset] }: YAMLError, lines: LineCounter): ConfigProblem {
  const { line, col: column } = lines.linePos(offset);
  return { path: '', line, column, message: syntaxInWords(code, message) };
}

function syntaxInWords(code: YAMLError['code'], message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice';
  if (code === 'MULTIPLE_DOCS') return 'is more than one YAML document: remove --- and what follows';
  // Thousands of brackets within each other overflow the parser's stack, which it tells as any other error.
  if (/call stack|stack overflow/i.test(message)) return 'is nested too deeply';
  return message.replace(/ at line [0-9][^]*$/, '');
}

/** A value that breaks one rule often breaks the next as well. */
const firstOfEachPath = (problems: ConfigProblem[]): ConfigProblem[] =>
  problems.filter(({ path }, i) => problems.findIndex((other) => other.path === path) === i);

/**
 * What YAML can say and no configuration needs: aliases, which may stand for a thousand others, and keys that are more
 * than a word, or mean something to JavaScript.
 */
function needless(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const refuse = (node: unknown, message: string): void => {
    const { line, col: column } = lines.linePos((isNode(node) && node.range?.[0]) || 0);
    problems.push({ path: '', line, column, message });
  };
  visit(document, {
    Alias: (_, alias) => refuse(alias, `YAML aliases (*${alias.source}) are not allowed here: write it out`),
    Pair(_, { key }) {
      if (isScalar(key) && key.value !== '__proto__') return undefined;
      refuse(key, isScalar(key) ? '__proto__ is no name for anything' : 'a key is one word here');
      // Keys within keys within keys may be many.
      return visit.BREAK;
    },
  });
  return problems;
}

const atStart = (message: string): ConfigProblem => ({ path: '', line: 1, column: 1, message });
