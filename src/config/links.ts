import type { LayoutProblem, Tree } from './tree.ts';
import type { Service } from './services.ts';

/** A release carries base/ to another folder, from where a link leads elsewhere. */
export const onLink =
  'is a symbolic link: a release carries base/ as it is, so put what it leads to in its place';

/** @param links of the whole repository */
export const linksInBase = ({ base }: Pick<Service, 'base'>, links: readonly string[]): string[] =>
  links.filter((link) => isOneInOther(link, base));

/** Whether a path lies in the other, or is it. */
const isOneInOther = (a: string, b: string): boolean =>
  `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);

export const linkProblems = (service: Service, { links = [] }: Tree): LayoutProblem[] =>
  linksInBase(service, links).map((path) => ({ path, message: onLink }));
