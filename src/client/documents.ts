import type { Change } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';
import type { ListedObject } from '../systems/objects/index.ts';

/** What deliveries left in the object store, which outlives Temporal's histories. */
export interface Documents {
  /** The final document of the change's last delivery. */
  delivery(change: Change): Promise<Delivery | undefined>;
  /** Commits of a service's stored deliveries that begin so. */
  commits(service: string, prefix: string): Promise<string[]>;
  /** How a log ends, in at most 20 lines and without colours. */
  logEnd(key: string): Promise<string | undefined>;
  /** What the steps of a change have written so far, in every delivery of it. @throws GitopsError `unreachable` */
  logs(change: Change): Promise<ListedObject[]>;
  /** What stands in a log after so many of its bytes. @throws GitopsError `unreachable` */
  log(key: string, after: number): Promise<string>;
  /** A rendered diff, by the key that a promotion's status shows. */
  diff(key: string): Promise<string | undefined>;
}
