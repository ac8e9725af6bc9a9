import { isMap, isNode, isScalar, type Document, type LineCounter } from 'yaml';

export type Path = (string | number)[];

/** `environments[0].approval` */
export const pathText = (path: Path): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');

/** Where a path's key or value stands in a document; of what is not there, where its nearest parent stands. */
export function lineAndColumn(
  document: Document,
  lines: LineCounter,
  path: Path,
  atKey: boolean,
): { line: number; column: number } {
  const offset = (atKey ? offsetOfKey(document, path) : undefined) ?? offsetOfValue(document, path);
  const { line, col: column } = lines.linePos(offset);
  return { line, column };
}

function offsetOfKey(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const keys = parent.items.map(({ key }) => key).filter(isScalar);
  return keys.find(({ value }) => String(value) === String(path.at(-1)))?.range?.[0];
}

function offsetOfValue(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
