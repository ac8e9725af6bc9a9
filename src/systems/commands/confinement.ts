/** `nobody` of Debian: owns nothing. */
export const unprivileged = { uid: 65534, gid: 65534 };

/** A worker that is killed cannot end what it runs, so the kernel does. */
export const endsWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;

/** When its first process dies, the kernel ends all others of a PID namespace. */
export const confinement = [
  ...endsWithUs,
  ...['unshare', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'],
  ...[
    'setpriv',
    `--reuid=${unprivileged.uid}`,
    `--regid=${unprivileged.gid}`,
    '--clear-groups',
    '--no-new-privs',
    // Becoming another user has cleared what --kill-child set.
    ...['--pdeathsig', 'KILL'],
  ],
  '--',
];
