import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as workflows from '../../src/workflows/index.ts';
import { contractQueues } from '../support/contract-queues.ts';
import { useTemporal } from '../support/workflow-rig.ts';
import {
  activitiesTakenOver,
  addedActivities,
  addedWorkflows,
  isTakenOver,
  replaceWorkers,
  ways,
  type Ending,
  type Replacement,
  type Way,
} from './endings.ts';
import { previousBundle, previousRelease } from './previous-release.ts';
import { overBefore, points, recreationPoints, states } from './states.ts';

/**
 * The previous release's own workflows are brought into every state that can last, and the present ones end them: as they
 * end when nobody replaces anything. Each state has a service of its own, and all of them share the workers that are
 * replaced.
 */
useTemporal();

let folder: string;
const replacements = new Map<Way, Replacement>();

beforeAll(async () => {
  folder = await previousRelease();
  const before = await previousBundle(folder);
  for (const way of ways) replacements.set(way, await replaceWorkers(way, before));
}, 20 * 60_000);
afterAll(() => rm(folder, { recursive: true }));

function ending(way: Way, state: string): Ending {
  const found = replacements.get(way)?.endings.get(state);
  if (!found) throw new Error(`There is no ending of a ${state}.`);
  if (found instanceof Error) throw found;
  return found;
}

test.for(Object.keys(states))('a %s when workers are replaced ends as it would have', (state) => {
  const { came } = ending('never', state);
  expect(ending('after they ended', state).came).toBe(came);
  expect(ending('one beside the other', state).came).toBe(came);
});

test('workers are replaced in every activity of a delivery and of a recreation', () => {
  const { done } = ending('never', overBefore);
  expect([...done].toSorted()).toEqual(points.toSorted());
  const recreated = ending('never', 'recreation in deliver checkRecreation').done;
  expect([...recreated].toSorted()).toEqual(recreationPoints.toSorted());
});

const runs = () => replacements.get('after they ended')?.runs ?? [];

test('every activity of the previous release was asked for by it and answered to the present one', () => {
  const its = Object.keys(contractQueues).filter((name) => !addedActivities.has(name));
  expect([...activitiesTakenOver(runs())].toSorted()).toEqual(its.toSorted());
});

test('every workflow that there is was begun by the previous release and gone on with by the present one', () => {
  const types = new Set(
    runs()
      .filter(isTakenOver)
      .map(({ type }) => type),
  );
  expect(types).toEqual(new Set(Object.keys(workflows)).difference(addedWorkflows));
});
