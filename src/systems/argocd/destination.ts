/** Whether an Application deploys to the very cluster that Argo CD lives in. */
export const isHere = ({
  name,
  server,
}: {
  name?: string | undefined;
  server?: string | undefined;
}): boolean => name === 'in-cluster' || server === 'https://kubernetes.default.svc';
