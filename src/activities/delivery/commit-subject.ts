import { plain } from '../../model/text/markdown.ts';
import type { Commit } from '../../systems/git/index.ts';

/** It goes into histories, terminals and messages of commits: not too long, and nothing that they would act on. */
export const subjectOf = ({ subject }: Pick<Commit, 'subject'>): string => plain(subject).slice(0, 100);
