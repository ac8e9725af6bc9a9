/**
 * Whether a pattern of Argo CD's (gobwas/glob, used without separators) matches: `*` and `**` any text, slashes and
 * nothing, too; `?` one character; `[abc]`, `[a-z]` and `[!a-z]` one of some; `{a,b}` one of several patterns, which may
 * hold others; a backslash takes the next character as it is. One that is no pattern matches nothing.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const expression = toExpression(pattern);
  return expression !== undefined && new RegExp(`^(?:${expression})$`, 'su').test(text);
}

/** By its number: what has a meaning differs inside and outside of a class. */
const quote = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;

const token =
  /\\(?<escaped>.)|\[(?<not>!?)(?:(?<low>.)-(?<high>.)|(?!.-)(?<of>(?:\\.|[^\\\]])+))\]|(?<any>\*+)|(?<other>.)/suy;

function toExpression(pattern: string): string | undefined {
  let depth = 0;
  let expression = '';
  for (token.lastIndex = 0; token.lastIndex < pattern.length;) {
    const { escaped, not, low, high, of, any, other = '' } = token.exec(pattern)?.groups ?? {};
    if (escaped !== undefined) expression += quote(escaped);
    else if (low !== undefined && high !== undefined) {
      if (low > high) return undefined;
      expression += `[${not === '!' ? '^' : ''}${quote(low)}-${quote(high)}]`;
    } else if (of !== undefined) {
      const characters = Array.from(of.replace(/\\(.)/gsu, '$1'), quote).join('');
      expression += `[${not === '!' ? '^' : ''}${characters}]`;
    } else if (any !== undefined) expression += '.*';
    else if (other === '?') expression += '.';
    else if (other === '{') {
      depth += 1;
      expression += '(?:';
    } else if (other === '}' && depth > 0) {
      depth -= 1;
      expression += ')';
    } else if (other === ',' && depth > 0) expression += '|';
    // A class that is empty or has no end, and a backslash with nothing behind it.
    else if (other === '[' || other === '\\') return undefined;
    else expression += quote(other);
  }
  return depth === 0 ? expression : undefined;
}
