import { expect, test } from 'vitest';
import { canonicalName } from './image-name.ts';

test.each([
  ['docker.io/library/nginx', ['nginx', 'library/nginx', 'docker.io/nginx', 'index.docker.io/library/nginx']],
  [
    'docker.io/bakery/orders',
    ['bakery/orders', 'docker.io/bakery/orders', 'registry-1.docker.io/bakery/orders'],
  ],
  ['ghcr.io/bakery/orders', ['ghcr.io/bakery/orders']],
  ['registry:5000/orders', ['registry:5000/orders']],
  ['localhost/orders', ['localhost/orders']],
])('%s is one image, however it is written', (canonical, spellings) => {
  expect(spellings.map(canonicalName)).toEqual(spellings.map(() => canonical));
});
