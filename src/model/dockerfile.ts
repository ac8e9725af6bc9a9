/** Names of the stages of a Dockerfile, in small letters as builders compare them. */
export const stagesIn = (dockerfile: string): string[] =>
  [...dockerfile.matchAll(/^\s*FROM\s+.+\s+AS\s+(\S+)\s*$/gim)].map(([, name = '']) => name.toLowerCase());

interface Feature {
  name: string;
  /** The first version of buildah that has it (https://github.com/containers/buildah/blob/main/CHANGELOG.md). */
  since: string;
  pattern: RegExp;
}

const features: Feature[] = [
  {
    name: 'here-documents (RUN <<EOF)',
    since: '1.33.0',
    pattern: /^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s.*(?<!<)<<-?["']?[a-z_]/im,
  },
  {
    name: 'COPY --link',
    since: '1.41.0',
    pattern: /^\s*(?:ONBUILD\s+)?(?:COPY|ADD)\s+(?:--\S+\s+)*--link(?:=true)?\s/im,
  },
];

/** What a Dockerfile is written in that not every builder knows. */
export function featuresIn(dockerfile: string): Omit<Feature, 'pattern'>[] {
  const lines = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\[ \t]*\n/g, ' ');
  return features.filter(({ pattern }) => pattern.test(lines)).map(({ name, since }) => ({ name, since }));
}
