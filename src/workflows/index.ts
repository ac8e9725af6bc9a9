export { deliverService } from './deliver-service.ts';
export { environment } from './environment/index.ts';
export { resolveChanges } from './resolve-changes.ts';
