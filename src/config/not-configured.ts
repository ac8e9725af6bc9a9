/** What somebody names gitops.yaml does not say, or not any more: no other attempt finds it there. */
export class NotConfigured extends Error {}
