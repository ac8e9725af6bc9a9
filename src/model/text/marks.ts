/** A state at a glance, in the Temporal UI and on terminals. */
export const marks = {
  pending: '○',
  running: '▶',
  waiting: '⏸',
  succeeded: '✔',
  failed: '✖',
  rejected: '✖',
  superseded: '⤼',
} as const;
