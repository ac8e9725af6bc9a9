/** Names of the stages of a Dockerfile, in small letters as builders compare them. */
export const stagesIn = (dockerfile: string): string[] =>
  dockerfile
    .toLowerCase()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([instruction, ...words]) => {
      const [as, name = ''] = words.slice(-2);
      return instruction === 'from' && words.length > 2 && as === 'as' ? [name] : [];
    });

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
    pattern: /^[ \t]*(?:ONBUILD[ \t]+)?(?:RUN|COPY|ADD)[ \t].*(?<!<)<<-?["']?[a-z_]/im,
  },
  {
    name: 'COPY --link',
    since: '1.41.0',
    pattern: /^[ \t]*(?:ONBUILD[ \t]+)?(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*--link(?:=true)?\s/im,
  },
];

/** What a Dockerfile is written in that not every builder knows. */
export function featuresIn(dockerfile: string): Omit<Feature, 'pattern'>[] {
  const lines = dockerfile.replace(/^[ \t]*#.*\n/gm, '').replace(/\\[ \t]*\n/g, ' ');
  return features.filter(({ pattern }) => pattern.test(lines)).map(({ name, since }) => ({ name, since }));
}
