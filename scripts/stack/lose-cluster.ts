// make lose-cluster: the disaster. etcd, containers and volumes are gone, and an empty cluster is started in their place.
import { rmSync } from 'node:fs';
import {
  etcdDirectory,
  startApiServer,
  startControllers,
  startDns,
  startEtcd,
  startScheduler,
} from './control-plane.ts';
import { eraseNode, startNode, startProxy, stopNode } from './node.ts';
import { ensureBridge } from './network.ts';
import { own } from './owner.ts';
import { end, keepingUp } from './processes.ts';
import { say } from './progress.ts';
import { messageOf } from './until.ts';

try {
  await own();
  await ensureBridge();
  await stopNode();
  await Promise.all([end('kube-controller-manager'), end('kube-scheduler'), end('coredns')]);
  await end('kube-apiserver');
  await end('etcd');
  rmSync(etcdDirectory, { recursive: true, force: true });
  eraseNode();
  say('the cluster is lost');

  await keepingUp(startCluster());
  say('an empty cluster is up');
} catch (error) {
  process.stderr.write(`make lose-cluster: ${messageOf(error)}\n`);
  process.exit(1);
}

async function startCluster(): Promise<void> {
  await startEtcd();
  await startApiServer();
  await Promise.all([startControllers(), startScheduler(), startDns(), startNode().then(startProxy)]);
}
