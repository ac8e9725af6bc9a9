import { patched } from '@temporalio/workflow';

/**
 * Whether this run of a workflow began under release 0.2 or a later one. Asked once, when it begins, so that a run keeps to
 * one way from its beginning to its end. The other way goes when no run of 0.1 can be open any more: an environment's ends
 * with its promotion and a delivery's by its deadlines, so weeks after the last worker of 0.1 was replaced.
 */
export const since02 = (): boolean => patched('0.2');
