import { createHash } from 'node:crypto';

/** What a crowd consists of; its worker is told by JSON. */
export interface Crowd {
  services: string[];
  /** Changes of each service. */
  each: number;
  environments: string[];
  /** How long a sync takes; it never ends without. */
  syncMs?: number;
}

/** The forge, the object store and Git answer after so long. */
export const answerMs = 10;
/** So long do tests take, and builds. */
export const buildMs = 20;

export const hash = (text: string): string => createHash('sha1').update(text).digest('hex');

/** A service's changes, from 1. */
export const commitOf = (service: string, number: number): string => hash(`change ${number} of ${service}`);
