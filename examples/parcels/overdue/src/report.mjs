import { countryOf, isBarcode } from '../../libs/barcode/barcode.mjs';

/** Lines for people: how many parcels of each country nobody has heard of, the most first. */
export function report(barcodes) {
  const countries = Map.groupBy(barcodes.filter(isBarcode), countryOf);
  return [...countries]
    .toSorted(([, one], [, other]) => other.length - one.length)
    .map(([country, parcels]) => `${country}: ${parcels.length} overdue, among them ${parcels[0]}`);
}
