import { z } from 'zod';
import { nameSchema, shaSchema } from '../names.ts';

/** A service at a commit, on its way. */
export const changeSchema = z.strictObject({ service: nameSchema, commit: shaSchema });
export type Change = z.infer<typeof changeSchema>;

/** `<service>/<sha>`: how people and commands name a change. */
export const changeName = ({ service, commit }: Change): string => `${service}/${commit}`;

/** Something to deliver, as workers found it in the repository. */
export interface ResolvedChange {
  change: Change;
  /** As `Source` has it. */
  subject: string;
  /** The branch was rewritten, so that how an earlier delivery of the same ended says nothing: what came after is gone. */
  again?: boolean;
  /** Its manifests changed, in another repository: a delivery of it that is under way brings those that it began with. */
  manifests?: boolean;
}

/** What `verify` found out about a change; travels with it. */
export interface Source {
  /** Number of commits on the protected branch's first-parent line up to this one: orders changes. */
  position: number;
  /** First line of the commit message, at most 100 characters. */
  subject: string;
  /** Author and co-authors, as `Name <e-mail>`. */
  authors: string[];
  /** ISO 8601. */
  committedAt: string;
  /** Git tree of the service's `base/`: at this commit, or at `manifests`; of one that removes it, of all its last manifests. */
  base: string;
  /**
   * Where the manifests are in another repository than the source: the newest commit there, when the change was verified,
   * that changed the service's.
   */
  manifests?: string;
  /** Paths of the service that this commit touched, at most 20. */
  paths: string[];
}

/** An image as it was pushed: by digest, since a tag may move. */
export interface Image {
  /** Without tag: `registry.example/team/service`. */
  name: string;
  /** `sha256:…` */
  digest: string;
}

/** What is promoted: a change, its source, and its image where the service has one. */
export interface Release {
  change: Change;
  source: Source;
  image?: Image;
  /** Its commit took the service out of the repository: environments delete what they run of it. */
  removes?: true;
}
