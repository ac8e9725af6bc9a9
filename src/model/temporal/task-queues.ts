/** Where work is done. Trust is split by these: tests and builds run other people's code (docs/architecture.md). */
export type Queue = 'build' | 'delivery' | 'production' | 'recovery' | 'wait';
export const queues: readonly Queue[] = ['build', 'delivery', 'production', 'recovery', 'wait'];

export const taskQueue = (platform: string, queue: Queue): string => `${platform}/${queue}`;

/**
 * For Temporal's fairness: services take turns at the slots of a queue, however many changes one of them brings at once. A
 * promotion goes before a delivery's own work: its change is nearly there, and a service has no more of them than
 * environments. Activities inherit it from their workflow; a Temporal without fairness ignores it.
 */
export const priorityOf = {
  delivery: (service: string) => ({ fairnessKey: service }),
  promotion: (service: string) => ({ fairnessKey: service, priorityKey: 2 }),
};
