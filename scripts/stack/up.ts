// make up: builds what is missing, starts what does not run, and leaves alone what does.
import { chmodSync, mkdirSync } from 'node:fs';
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
import { keepingUp } from './processes.ts';
import { setUpProgram, startServer, startWorker } from './program.ts';
import { say } from './progress.ts';
import { provide, startRegistry } from './registry.ts';
import { startS3 } from './s3.ts';
import { startScratch } from './scratch.ts';
import { seedArgocd, seedForge } from './seed.ts';
import { startTemporal } from './temporal.ts';
import { messageOf } from './until.ts';

const recipes = [wheels, ...Object.values(tools), ...Object.values(images)];
const systemsOnly = process.argv.includes('--systems');

try {
  await up();
} catch (error) {
  process.stderr.write(`make up: ${messageOf(error)}\n`);
  // Builds may be under way.
  process.exit(1);
}

async function up(): Promise<void> {
  await preflight(recipes.every(isMade));
  await own();
  removeUnfinished();
  mkdirSync(state, { recursive: true, mode: 0o755 });
  chmodSync(state, 0o755);
  await ensureBridge();
  await ensurePki();

  await keepingUp(startSystems().then(systemsOnly ? undefined : startProgram));
  tell();
}

/**
 * Everything is begun at once; what needs something else waits for it, and for its own build. Which build ends first is
 * open: what is not waited for here may not be there.
 */
async function startSystems(): Promise<void> {
  const built = Promise.all(recipes.map(make));
  const cluster = startEtcd().then(startApiServer);
  const controllers = cluster.then(startControllers);
  const scheduler = cluster.then(startScheduler);
  const dns = cluster.then(startDns);
  const forge = startGitea().then(seedForge);
  const registry = startRegistry();
  const node = Promise.all([cluster, registry, provide(images.pause)]).then(startNode);
  const proxy = node.then(startProxy);
  const itsImages = [provide(images.argocd), provide(images.redis)];
  const argocd = Promise.all([controllers, scheduler, dns, proxy, ...itsImages]).then(installArgocd);
  await Promise.all([
    built,
    startTemporal(),
    startScratch(),
    ...Object.values(images).map(provide),
    Promise.all([argocd, forge, startS3()]).then(seedArgocd),
  ]);
  writeEnvironment();
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
