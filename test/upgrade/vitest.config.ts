import { defineConfig } from 'vitest/config';

// npm run test-upgrade: some seventy states, each three times over, which takes longer than all other tests of workflows.
export default defineConfig({
  test: {
    include: ['test/upgrade/*.test.ts'],
    testTimeout: 60_000,
    expect: { poll: { timeout: 300_000, interval: 200 } },
  },
});
