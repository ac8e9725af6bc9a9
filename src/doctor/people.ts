import { decidersOf } from '../config/people.ts';
import { ok, warning, type Check } from './check.ts';

/** Whether the commits of those who decide can be told from others': nobody decides on commits of their own. */
export const people: Check = {
  name: 'people',
  async *look({ config }) {
    const decided = config.environments.some(({ approval }) => typeof approval !== 'string');
    if (!decided) return;
    const deciders = decidersOf(config);
    let all = true;
    for (const name of deciders) {
      const { forge, emails = [] } = config.people[name] ?? {};
      const missing = [
        ...(forge === undefined ? ['forge login'] : []),
        ...(emails.length === 0 ? ['e-mail address'] : []),
      ].join(' and no ');
      if (missing === '') continue;
      all = false;
      const detail = `${name} decides and has no ${missing} here: some commits of theirs would go unnoticed when they approve.`;
      yield warning('people', detail, `Complete people.${name} in gitops.yaml: forge, emails.`);
    }
    if (all) yield ok('people', `${deciders.join(', ')} may decide, never on commits of their own.`);
  },
};
