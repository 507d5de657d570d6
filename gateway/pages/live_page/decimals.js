// Exact decimals, which are strings, in the reader's way of writing numbers. None becomes a float here:
// Intl takes strings as they are where an engine is new enough; where it is not, they are shown as told.

const exact =
  new Intl.NumberFormat('en', { maximumFractionDigits: 8 }).format('9007199254740993.00000001') ===
  '9,007,199,254,740,993.00000001';

const formats = new Map();
let currency = '';

/** The one currency of all amounts, as the API tells it; returns whether it is another than before. */
export function setCurrency(code) {
  const before = currency;
  currency = code ?? '';
  return currency !== before;
}

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(undefined, options));
  return formats.get(key);
}

/** An amount with all its digits, two behind the point at least: "1000000.5" is 1,000,000.50. */
export function amount(text, signed = false) {
  if (!exact) return text;
  const digits = Math.max(2, text.split('.')[1]?.length ?? 0);
  return format({
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(text);
}

/** An amount in its currency, where the deployment has one. */
export function money(text, signed = false) {
  // Intl takes any three letters for a currency; a code may be longer.
  if (!exact || !/^[A-Z]{3}$/.test(currency)) return [amount(text, signed), currency].filter(Boolean).join(' ');
  const own = { style: 'currency', currency, signDisplay: signed ? 'exceptZero' : 'auto' };
  const digits = Math.max(format(own).resolvedOptions().minimumFractionDigits, text.split('.')[1]?.length ?? 0);
  return format({ ...own, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(text);
}

/** What stands above a column of amounts. */
export function amountHeading() {
  return currency ? `Amount, ${currency}` : 'Amount';
}

/** An average or the like, which was rounded already, to two digits behind the point. */
export function rounded(text) {
  return exact ? format({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(text) : text;
}

/** A part or a change: "0.25" is 25%. */
export function percent(text, signed = false) {
  if (!exact) return `${text} of 1`;
  return format({
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(text);
}

/** A count. */
export function count(number, signed = false) {
  return format({ signDisplay: signed ? 'exceptZero' : 'auto' }).format(number);
}

/** -1, 0 or 1. */
export function sign(text) {
  if (/^-?0*(\.0*)?$/.test(text)) return 0;
  return text.startsWith('-') ? -1 : 1;
}

/** Where on a chart: a float is good enough for pixels, and for nothing else. */
export function pixels(text) {
  return Number(text);
}

/** A number on an axis, short: 1.2M. */
export function tick(number) {
  return format({ notation: 'compact', maximumFractionDigits: 1 }).format(number);
}
