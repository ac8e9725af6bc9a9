import { expect, test } from 'vitest';
import { closestFirst } from './closest.ts';

test('the text that is most like the wanted one comes first, each once', () => {
  const texts = ['nginx:1.29', 'bakery/orders', 'localhost:5000/bakery/order', 'nginx:1.29'];
  expect(closestFirst('localhost:5000/bakery/orders', texts)).toEqual([
    'localhost:5000/bakery/order',
    'bakery/orders',
    'nginx:1.29',
  ]);
  expect(closestFirst('', [])).toEqual([]);
});
