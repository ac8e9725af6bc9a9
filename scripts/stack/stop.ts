// make stop: ends every process of this checkout's stack, and removes what the kernel keeps beside them.
import { rmSync } from 'node:fs';
import { eraseNode, stopNode } from './node.ts';
import { removeBridge } from './network.ts';
import { disown, own } from './owner.ts';
import { end, endPids, stackProcesses } from './processes.ts';
import { checkout, envFile } from './paths.ts';
import { say } from './progress.ts';
import { stopScratch } from './scratch.ts';
import { messageOf } from './until.ts';

export async function stopStack(): Promise<void> {
  await own();
  // First who writes, then what is written to; etcd last, or the API server hangs and keeps its port.
  await Promise.all([end('worker'), end('server')]);
  await Promise.all([
    ...[end('temporal'), end('s3'), end('gitea'), end('registry')],
    stopNode(),
    stopScratch(),
  ]);
  await Promise.all([end('kube-controller-manager'), end('kube-scheduler'), end('coredns')]);
  await end('kube-apiserver');
  await end('etcd');
  const left = stackProcesses().filter((process) => process.checkout === checkout);
  await endPids(
    left.map(({ pid }) => pid),
    2_000,
  );
  await removeBridge();
  // Its addresses are on no device any more: a shell that took them from here would knock at other doors.
  rmSync(envFile, { force: true });
  disown();
}

if (import.meta.main) {
  try {
    await stopStack();
    if (process.argv.includes('--erase')) eraseNode();
    say('the stack is stopped');
  } catch (error) {
    process.stderr.write(`make stop: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
