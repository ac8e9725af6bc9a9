export { deliverService } from './deliver-service.ts';
export { environment } from './environment/index.ts';
export { resolveChanges } from './resolve-changes.ts';
export { pollRepository } from './poll-repository.ts';
export { backUpArgoCd, nightlyBackup } from './back-up-argo-cd.ts';
export { compareBackups, verifyBackup } from './recovery.ts';
export { recreateCluster } from './recreate-cluster.ts';
