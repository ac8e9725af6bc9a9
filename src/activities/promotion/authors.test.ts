import { expect, test } from 'vitest';
import { peopleOf } from './authors.ts';

const config = {
  people: {
    ann: { forge: 'Ann-H', emails: ['ann@example.com', 'ann@home.example'], decides: true },
    bob: { emails: ['Bob@Example.com'], decides: true },
    anna: { emails: ['anna@buildhost', 'Anna@Laptop.(none)'], decides: true },
  },
};

test.each([
  ['by any of their addresses', ['Ann <ann@home.example>'], ['ann']],
  ['whatever the case', ['B <bob@EXAMPLE.com>'], ['bob']],
  ['once, however often they wrote', ['Ann <ann@example.com>', 'A. <ann@home.example>'], ['ann']],
  ['behind an address that GitHub made up', ['Ann <1234+ann-h@users.noreply.github.com>'], ['ann']],
  ['behind an address that Gitea made up', ['Ann <ann-h@noreply.localhost>'], ['ann']],
  ['by the address that Git makes up', ['Anna < anna@laptop.(none) >', 'a <Anna@BuildHost>'], ['anna']],
  ['under another name', ['Bob <ann@example.com>'], ['ann']],
])('people are known %s', (_, authors, expected) => {
  expect(peopleOf(config, authors)).toEqual(expected);
});

test('strangers are known by their address', () => {
  expect(peopleOf(config, ['Eve <eve@example.com>', 'nobody'])).toEqual(['eve@example.com', 'nobody']);
});
