import { execa } from 'execa';

/**
 * Runs kubectl in the cluster that KUBECONFIG names.
 *
 * @param objects that it reads from its input
 * @returns what it says
 */
export async function kubectl(args: string[], ...objects: object[]): Promise<string> {
  const given = objects.length > 1 ? { apiVersion: 'v1', kind: 'List', items: objects } : objects[0];
  const { stdout } = await execa('kubectl', ['--request-timeout=60s', ...args], {
    timeout: 2 * 60_000,
    ...(given && { input: JSON.stringify(given) }),
  });
  return stdout;
}
