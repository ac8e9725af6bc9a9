/** Where work is done; trust is split by these (DESIGN: tests and builds run other people's code). */
export type Queue = 'build' | 'delivery' | 'production' | 'recovery' | 'wait';
export const queues: readonly Queue[] = ['build', 'delivery', 'production', 'recovery', 'wait'];

export const taskQueue = (platform: string, queue: Queue): string => `${platform}/${queue}`;
