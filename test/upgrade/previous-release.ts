import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { execa } from 'execa';

/** The commit of the release whose deliveries the present code has to end. */
const commit = 'c94d343ec3c3b5076b35b6c69ad3b0ae896212e0';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Its code, with the dependencies of the present one.
 *
 * @returns the folder
 * @throws Error when this clone does not reach back so far
 */
export async function previousRelease(): Promise<string> {
  const known = await execa('git', ['cat-file', '-e', `${commit}^{commit}`], {
    cwd: checkout,
    reject: false,
  });
  if (known.failed) {
    throw new Error(
      `This clone does not hold ${commit}, the previous release, whose deliveries have to go on. ` +
        'It is shallow, as it seems. Run: git fetch --unshallow',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'gitops-previous-release-'));
  const archive = join(folder, 'archive.tar');
  await execa('git', ['archive', `--output=${archive}`, commit], { cwd: checkout });
  await execa('tar', ['--extract', `--file=${archive}`], { cwd: folder });
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

export const previousBundle = (folder: string): Promise<WorkflowBundle> =>
  bundleWorkflowCode({
    workflowsPath: join(folder, 'src/workflows/index.ts'),
    payloadConverterPath: join(folder, 'src/workflows/payload-converter.ts'),
    logger: new DefaultLogger('WARN'),
  });
