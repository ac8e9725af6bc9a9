#!/usr/bin/env -S node --max-semi-space-size=8
// Node keeps up to 100 MB of garbage for longer by itself (and no option of a running process changes that); a backup
// takes no longer with less. In a checkout the TypeScript runs as it is; a package has been built and has no src/.
import { existsSync } from 'node:fs';
import module from 'node:module';

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(
    `gitops needs Node 24 or newer, and this is ${process.version}. In a checkout this finds the right one: npx gitops\n`,
  );
  process.exit(2);
}
module.enableCompileCache();
const source = new URL('../src/cli/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : '../dist/cli/main.js');
