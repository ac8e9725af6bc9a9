import { expect, test } from 'vitest';
import { featuresIn, stagesIn } from './dockerfile.ts';

test('stages are known by their names, in whatever case', () => {
  expect(
    stagesIn('FROM node:24 AS Build\nRUN true\nfrom --platform=x build as test\nFROM scratch\n'),
  ).toEqual(['build', 'test']);
});

test('a Dockerfile that somebody wrote to keep the reader busy is read at once', () => {
  // Whoever tries every way to read these does not end.
  for (const filling of [' '.repeat(100_000), '\n'.repeat(100_000), '\t#'.repeat(50_000)]) {
    expect(stagesIn(`FROM ${filling}`)).toEqual([]);
    featuresIn(`FROM ${filling}`);
    featuresIn(`RUN ${filling}`);
  }
});

const known = (dockerfile: string) => featuresIn(dockerfile).map(({ since }) => since);

test.each([
  ['RUN <<EOF\necho a\nEOF', ['1.33.0']],
  ["RUN python3 <<-'END'\nprint(1)\nEND", ['1.33.0']],
  ['COPY <<EOF /etc/x\na\nEOF', ['1.33.0']],
  ['COPY --link . /app', ['1.41.0']],
  ['COPY --chown=1 \\\n  --link \\\n  a /b', ['1.41.0']],
  ['add --link=true a /b\nONBUILD RUN <<EOF\nEOF', ['1.33.0', '1.41.0']],
  ['COPY --link=false a /b', []],
  ['RUN echo $((1 << 2)) $((1<<2))', []],
  ['RUN cat <<<word', []],
  ['# RUN <<EOF\n# COPY --link a b', []],
  ['RUN npm link --link', []],
  ['COPY --links a /b', []],
])('of %j is known what not every builder knows', (dockerfile, since) => {
  expect(known(dockerfile)).toEqual(since);
});
