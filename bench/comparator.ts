import { fileURLToPath } from 'node:url';

/** The scripts that this program is held against, as a good engineer would write them. */
export const comparator = (name: string): string =>
  fileURLToPath(new URL(`comparators/${name}`, import.meta.url));
