import assert from 'node:assert';
import { test } from 'node:test';
import { countryOf, isBarcode } from './barcode.mjs';

test('the check digit tells a barcode from a misread one', () => {
  assert.ok(isBarcode('RR473124829SA'));
  assert.ok(!isBarcode('RR473124828SA'));
  assert.ok(!isBarcode('RR47312482SA'));
});

test('a barcode says where its parcel comes from', () => {
  assert.equal(countryOf('RR473124829SA'), 'SA');
});
