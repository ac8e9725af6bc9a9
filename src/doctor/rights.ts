import { z } from 'zod';
import type { Kubernetes } from '../systems/kubernetes/index.ts';

/** @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/ */
export interface Right {
  namespace: string;
  group: string;
  resource: string;
  subresource?: string;
  verb: string;
}

export const giveRole = 'Give this account a Role with it.';

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Those of the rights that we do not have, in words. */
export async function lackingRights(api: Kubernetes, rights: Right[]): Promise<string[]> {
  const answers = await Promise.all(
    rights.map(async (resourceAttributes) => {
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      };
      const answer = await api.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
      return reviewSchema.parse(answer).status.allowed;
    }),
  );
  return rights
    .filter((_, i) => !answers[i])
    .map(({ verb, resource, subresource, namespace }) => {
      const what = subresource === undefined ? resource : `${resource}/${subresource}`;
      return `${verb} ${what} in ${namespace}`;
    });
}
