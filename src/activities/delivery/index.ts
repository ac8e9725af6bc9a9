import type { BuildActivities, SourceActivities } from '../contract.ts';
import type { Systems } from '../systems.ts';
import { createAdoptImage } from './adopt-image.ts';
import { createFindPosition } from './branch-position.ts';
import { createBuildImage } from './build-image.ts';
import { createResolveChanges } from './resolve-changes.ts';
import { createRunEndToEnd } from './run-end-to-end.ts';
import { createTestService } from './test-service.ts';
import { createVerifyChange } from './verify-change.ts';

export const createSourceActivities = (
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'objects'>,
): SourceActivities => ({
  ...createVerifyChange(systems),
  ...createResolveChanges(systems),
  ...createFindPosition(systems),
});

export const createBuildActivities = (
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'objects' | 'images' | 'commands'> & {
    workDirectory: string;
  },
): BuildActivities => ({
  ...createTestService(systems),
  ...createBuildImage(systems),
  ...createAdoptImage(systems),
  ...createRunEndToEnd(systems),
});
