const weights = [8, 6, 4, 2, 3, 5, 9, 7];

/** Whether a text is an identifier as UPU S10 has it: service, eight digits and their check digit, country. */
export function isBarcode(text) {
  const [, digits, check] = /^[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}$/.exec(text) ?? [];
  return digits !== undefined && Number(check) === checkDigit(digits);
}

/** Where the parcel comes from: two letters. */
export const countryOf = (barcode) => barcode.slice(-2);

function checkDigit(digits) {
  const sum = weights.reduce((total, weight, i) => total + weight * Number(digits[i]), 0);
  const rest = 11 - (sum % 11);
  return rest === 10 ? 0 : rest === 11 ? 5 : rest;
}
