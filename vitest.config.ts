import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    // A real system answers within seconds; on two busy cores a whole delivery may take half a minute.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Several test files drive the same cluster and forge: two at a time is what two cores carry.
    maxWorkers: 2,
  },
});
