// make up: builds what is missing, starts what does not run, and leaves alone what does.
import { chmodSync } from 'node:fs';
import { installArgocd } from './argocd.ts';
import { isMade, make, removeUnfinished } from './artifacts.ts';
import { tools, wheels } from './binaries.ts';
import { startApiServer, startControllers, startDns, startEtcd, startScheduler } from './control-plane.ts';
import { writeEnvironment } from './environment.ts';
import { startGitea } from './gitea.ts';
import { images } from './images.ts';
import { ensureBridge } from './network.ts';
import { startNode, startProxy } from './node.ts';
import { own } from './owner.ts';
import { checkout, envFile, ports, state } from './paths.ts';
import { ensurePki } from './pki.ts';
import { preflight } from './preflight.ts';
import { setUpProgram, startServer, startWorker } from './program.ts';
import { say } from './progress.ts';
import { fillRegistry, startRegistry } from './registry.ts';
import { startS3 } from './s3.ts';
import { startScratch } from './scratch.ts';
import { seedArgocd, seedForge } from './seed.ts';
import { startTemporal } from './temporal.ts';
import { mkdirSync } from 'node:fs';

const systemsOnly = process.argv.includes('--systems');

try {
  await up();
} catch (error) {
  process.stderr.write(`make up: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function up(): Promise<void> {
  const recipes = [wheels, ...Object.values(tools), ...images];
  await preflight(recipes.every(isMade));
  await own();
  removeUnfinished();
  mkdirSync(state, { recursive: true, mode: 0o755 });
  chmodSync(state, 0o755);
  await ensureBridge();
  await ensurePki();

  // Everything is begun at once; what needs something else waits for it, and for its own build.
  const wheelsReady = make(wheels);
  const cluster = startEtcd().then(startApiServer);
  const forge = startGitea().then(seedForge);
  const registry = startRegistry().then(fillRegistry);
  const node = Promise.all([cluster, registry]).then(startNode);
  const argocd = Promise.all([node, cluster.then(startProxy), cluster.then(startDns)]).then(installArgocd);
  await Promise.all([
    wheelsReady,
    startTemporal(),
    startScratch(),
    cluster.then(startControllers),
    cluster.then(startScheduler),
    ...recipes.map(make),
    Promise.all([argocd, forge, startS3()]).then(seedArgocd),
  ]);
  writeEnvironment();
  if (!systemsOnly) await startProgram();
  tell();
}

async function startProgram(): Promise<void> {
  await setUpProgram();
  await Promise.all([startWorker(), startServer()]);
}

function tell(): void {
  say('the stack is up');
  process.stderr.write(`
  Temporal      http://127.0.0.1:${ports.temporalUi}
  Forge         http://10.87.0.1:${ports.forge}/brainsait/brainsait-rcm
  Shell         source ${envFile}
  End           make -C ${checkout} stop
`);
}
