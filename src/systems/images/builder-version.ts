import { execa } from 'execa';

/** The version of the buildah that is on the PATH: `1.28.2`; undefined without one. */
export async function builderVersion(): Promise<string | undefined> {
  const { stdout } = await execa('buildah', ['--version'], { reject: false, timeout: 10_000 });
  return /version (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
}
