import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';

/** Written by `npm run build`; a worker that has it starts in half the time. */
export const bundleFile = 'workflow-bundle.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The workflows' code: prebuilt where that is fresh, else from the sources, which takes two seconds. */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  const sources = here('../workflows/index.ts');
  // A package was built as a whole and has no sources that could be newer.
  if (!existsSync(sources)) return { codePath: here(`../${bundleFile}`) };
  const codePath = here(`../../dist/${bundleFile}`);
  return isFresh(codePath) ? { codePath } : bundle(sources);
}

/** Without the bundler's pages of statistics. */
export const bundle = (workflowsPath: string, workflowInterceptorModules: string[] = []) =>
  bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules,
    payloadConverterPath: here('../workflows/payload-converter.ts'),
    logger: new DefaultLogger('WARN'),
  });

/** The bundle holds the workflows, the model, and the SDK. */
function isFresh(bundle: string): boolean {
  const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return false;
  const parts = [
    ...filesBelow(here('../workflows')),
    ...filesBelow(here('../model')),
    here('../../package-lock.json'),
  ];
  return parts.every((file) => statSync(file).mtimeMs < built);
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
