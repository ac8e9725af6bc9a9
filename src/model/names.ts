import { z } from 'zod';

/**
 * A DNS label of at most 40 characters: a service's or environment's name becomes part of Kubernetes names,
 * of branches and of workflow IDs, so it is held to what all of them allow.
 */
export const nameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'a name has 2 to 40 lower-case letters, digits or dashes');

/** A full Git commit hash, lower case: a short one may mean another commit tomorrow. */
export const shaSchema = z
  .string()
  .regex(/^[0-9a-f]{40}$/, 'a commit is its full hash, 40 lower-case hex digits');

/** An OCI content digest. */
export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'a digest is sha256: and 64 lower-case hex digits');

/** An image of a repository, by its digest. */
export const imageReferenceSchema = z
  .string()
  .max(512)
  .regex(/^[\w.:/-]+@sha256:[0-9a-f]{64}$/, 'an image is REF@sha256:<64 hex digits>: a tag may move');
