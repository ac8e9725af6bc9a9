import type { Command } from 'commander';

/** A command's file. */
export interface CommandModule {
  register(program: Command): void;
}

/** All commands, in the order of the help. Each is loaded only when it is called, so that help costs next to nothing. */
export const commands: Record<string, { summary: string; load: () => Promise<CommandModule> }> = {
  deliver: { summary: 'start deliveries, and wait for them if asked', load: () => import('./deliver.ts') },
  status: { summary: 'what is on its way, and where it is', load: () => import('./status.ts') },
  logs: { summary: 'what tests, builds and failing pods of a change wrote', load: () => import('./logs.ts') },
  approve: { summary: 'let a change into an environment', load: () => import('./approve.ts') },
  reject: { summary: 'keep a change out of an environment', load: () => import('./reject.ts') },
  retry: { summary: 'start a delivery again that did not succeed', load: () => import('./retry.ts') },
  nudge: { summary: 'ask the environment again, now', load: () => import('./nudge.ts') },
  cancel: { summary: 'stop a delivery', load: () => import('./cancel.ts') },
  backup: { summary: 'store what Argo CD knows', load: () => import('./backup.ts') },
  backups: { summary: 'list, verify and compare backups', load: () => import('./backups.ts') },
  'recreate-cluster': {
    summary: 'rebuild a lost cluster from a backup',
    load: () => import('./recreate-cluster.ts'),
  },
  setup: {
    summary: 'prepare Temporal and the store of the backups',
    load: () => import('./setup.ts'),
  },
  doctor: { summary: 'compare the configuration with the world', load: () => import('./doctor.ts') },
  config: { summary: 'validate and show gitops.yaml', load: () => import('./config.ts') },
  worker: { summary: 'run the workflows and their activities', load: () => import('./worker.ts') },
  server: { summary: 'take webhooks of the forge', load: () => import('./server.ts') },
};

/** What `gitops --help` prints. */
export const overview = (): string => {
  const width = Math.max(...Object.keys(commands).map((name) => name.length)) + 2;
  return [
    'Usage: gitops <command> [options]',
    '',
    'Carries commits of services through their environments to production.',
    '',
    'Commands:',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`),
    '',
    'gitops --version prints the version. Every command has --help and --json.',
    'CHANGE is <service>/<commit>, of which 7 digits are enough.',
    'gitops.yaml is looked for in this folder, or where GITOPS_CONFIG or --config says.',
    '',
    'Exit codes: 0 done; 1 the delivery failed; 2 wrong usage or configuration; 3 refused (policy, approval, a newer',
    'change); 4 a system could not be reached.',
    '',
  ].join('\n');
};
