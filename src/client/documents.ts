import type { Change } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';

/** What deliveries left in the object store, which outlives Temporal's histories. */
export interface Documents {
  /** The final document of the change's last delivery. */
  delivery(change: Change): Promise<Delivery | undefined>;
  /** Commits of a service's stored deliveries that begin so. */
  commits(service: string, prefix: string): Promise<string[]>;
  /** How a log ends, in at most 20 lines and without colours. */
  logEnd(key: string): Promise<string | undefined>;
  /** A rendered diff, by the key that a promotion's status shows. */
  diff(key: string): Promise<string | undefined>;
}
