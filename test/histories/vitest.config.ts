import { defineConfig } from 'vitest/config';

// npm run record-histories: no test, but it needs what tests need. One scenario lasts as long as an activity may be silent.
export default defineConfig({
  test: {
    include: ['test/histories/record.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 50 } },
  },
});
