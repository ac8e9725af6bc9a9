import type { Config } from '../../config/schema.ts';

/** Addresses that forges make up for who hides the real one: `12+login@users.noreply.github.com`. */
const hidden = /^(?:\d+\+)?([^@+]+)@(?:[\w.-]+\.)?noreply\./i;

/**
 * Who wrote some commits: keys of `people`, else the addresses.
 *
 * @param authors `Name <e-mail>`, as commits have them
 */
export function peopleOf({ people }: Pick<Config, 'people'>, authors: string[]): string[] {
  const byEmail = new Map<string, string>();
  const byLogin = new Map<string, string>();
  for (const [name, { emails, forge }] of Object.entries(people)) {
    for (const email of emails) byEmail.set(email.toLowerCase(), name);
    if (forge !== undefined) byLogin.set(forge.toLowerCase(), name);
  }
  const found = authors.map((author) => {
    const email = (/<([^<>]*)>\s*$/.exec(author)?.[1] ?? author).trim().toLowerCase();
    const [, login = ''] = hidden.exec(email) ?? [];
    return byEmail.get(email) ?? byLogin.get(login) ?? email;
  });
  return [...new Set(found)];
}
