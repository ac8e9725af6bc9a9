import type { Application, ResourceState } from '../../model/argocd/application.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';

/** It reads each of the Application's objects. */
const pauseMs = 10_000;

/** Adds to an Application that is in trouble which of its objects are, where Argo CD does not say. */
export function createHealthLook(
  argocd: Pick<ArgoCd, 'troubledResources'>,
  name: string,
): (application: Application) => Promise<Application> {
  let next = 0;
  let found: ResourceState[] = [];
  return async (application) => {
    const { health, healthElsewhere, resources } = application;
    if (!healthElsewhere || !['Degraded', 'Suspended'].includes(health.status)) return application;
    if (Date.now() >= next) {
      // Without it, the Application is judged by what it says itself.
      found = await argocd.troubledResources(name).catch(() => []);
      next = Date.now() + pauseMs;
    }
    return { ...application, resources: [...resources, ...found] };
  };
}
