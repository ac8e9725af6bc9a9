import { defineConfig } from 'vitest/config';

// npm run record-histories: no test, but it needs what tests need.
export default defineConfig({ test: { include: ['test/histories/record.ts'], testTimeout: 60_000 } });
