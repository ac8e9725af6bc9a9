/** Where work is done; trust is split by these (DESIGN: tests and builds run other people's code). */
export type Queue = 'build' | 'delivery' | 'production' | 'recovery' | 'wait';
export const queues: readonly Queue[] = ['build', 'delivery', 'production', 'recovery', 'wait'];

export const taskQueue = (platform: string, queue: Queue): string => `${platform}/${queue}`;

/**
 * Services take turns at the slots of a queue, however many changes one of them brings at once. A promotion goes first:
 * its change is nearly there, and a service has no more of them than environments. Workflows hand it on to their
 * activities; a Temporal without fairness takes no notice.
 */
export const turnOf = {
  delivery: (service: string) => ({ fairnessKey: service }),
  promotion: (service: string) => ({ fairnessKey: service, priorityKey: 2 }),
};
