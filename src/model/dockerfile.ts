/** Names of the stages of a Dockerfile, in small letters as builders compare them. */
export const stagesIn = (dockerfile: string): string[] =>
  [...dockerfile.matchAll(/^\s*FROM\s+.+\s+AS\s+(\S+)\s*$/gim)].map(([, name = '']) => name.toLowerCase());
