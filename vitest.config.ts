import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Tests whose names end in .alone.test.ts stop and kill parts of the stack that others need.
const alone = ['test/**/*.alone.test.ts'];

/** Ends of names of the longest. Who mostly waits for the silence of killed workers begins, so that others run meanwhile. */
const longest = ['kills.test.ts', 'upgrade.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      [...longest, ''].findIndex((end) => moduleId.endsWith(end));
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // A real system answers within seconds; on two busy cores a whole delivery may take a minute. What is stuck is told by
    // the wait that it is stuck in, which ends before its test.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A condition is looked at until it holds; on a busy machine that may take a while.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    // Several test files drive the same cluster and forge: two at a time is what two cores carry.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          // Each has a platform of its own on the stack, or, in scripts/, processes as it has them.
          name: 'together',
          include: ['test/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: alone,
        },
      },
      {
        extends: true,
        test: {
          // They need nothing of the stack but its programs.
          name: 'apart',
          include: ['{src,bench}/**/*.test.ts', 'test/{apart,workflows}/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          // Beside what those need, the history of the repository.
          name: 'upgrade',
          include: ['test/upgrade/*.test.ts'],
        },
      },
      { extends: true, test: { name: 'alone', include: alone, fileParallelism: false } },
    ],
  },
});
