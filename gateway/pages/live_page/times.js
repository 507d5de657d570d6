// Instants as a zone's clock shows them, and back.

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) {
    let made;
    try {
      made = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
    } catch {
      made = new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC', timeZoneName: 'short' });
    }
    formats.set(key, made);
  }
  return formats.get(key);
}

const DATE = { day: 'numeric', month: 'short', year: 'numeric' };
const TIME = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const SECONDS = { ...TIME, second: '2-digit' };

/** 09:30:05 */
export function clock(instant, zone) {
  return format(zone, SECONDS).format(new Date(instant));
}

/** Nov 30, 2026, 09:30:05 */
export function moment(instant, zone) {
  return format(zone, { ...DATE, ...SECONDS }).format(new Date(instant));
}

/** Nov 30, 09:30 */
export function short(instant, zone) {
  return format(zone, { day: 'numeric', month: 'short', ...TIME }).format(new Date(instant));
}

const BUCKETS = {
  MINUTE: { day: 'numeric', month: 'short', ...TIME },
  FIVE_MINUTES: { day: 'numeric', month: 'short', ...TIME },
  FIFTEEN_MINUTES: { day: 'numeric', month: 'short', ...TIME },
  HOUR: { weekday: 'short', day: 'numeric', month: 'short', ...TIME },
  DAY: { weekday: 'short', ...DATE },
  WEEK: DATE,
  MONTH: { month: 'long', year: 'numeric' },
  QUARTER: { month: 'short', year: 'numeric' },
  YEAR: { month: 'short', year: 'numeric' },
};

const FROM = { WEEK: 'Week', QUARTER: 'Quarter', YEAR: 'Year' };

/** A bucket by its start, as fine as it is long. */
export function bucket(start, granularity, zone) {
  const name = format(zone, BUCKETS[granularity]).format(new Date(start));
  const word = FROM[granularity];
  return word ? `${word} from ${name}` : name;
}

/** On an axis: as little as tells `stepMs` apart. */
export function axis(instant, stepMs, zone) {
  const day = 86_400_000;
  const options =
    stepMs < day ? TIME : stepMs < 28 * day ? { day: 'numeric', month: 'short' } : { month: 'short', year: '2-digit' };
  return format(zone, options).format(new Date(instant));
}

/** From when to when; the end is not included, so midnights are told as the day before. */
export function range(start, end, zone) {
  const [from, until] = [new Date(start), new Date(end)];
  const midnight = (date) => format(zone, SECONDS).format(date) === '00:00:00';
  if (midnight(from) && midnight(until)) return format(zone, DATE).formatRange(from, new Date(until - 1));
  return format(zone, { ...DATE, ...TIME }).formatRange(from, until);
}

/** 1 s, 5 min, 3 h, 2 days */
export function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** The date, as `<input type="date">` has it, of an instant. */
export function dateOf(instant, zone) {
  const parts = Object.fromEntries(partsOf(instant, zone));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** The instant at which a date begins in the zone, so many days later. */
export function startOfDate(date, zone, days = 0) {
  const wall = Date.parse(`${date}T00:00:00Z`) + days * 86_400_000;
  // The offset of about then, then the one of exactly then.
  const about = wall - offset(wall, zone);
  return new Date(wall - offset(about, zone)).toISOString();
}

function offset(instant, zone) {
  const parts = Object.fromEntries(partsOf(instant, zone).map(([name, value]) => [name, Number(value)]));
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return wall - Math.floor(instant / 1000) * 1000;
}

function partsOf(instant, zone) {
  const made = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: known(zone) ? zone : 'UTC',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return made.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]);
}

/** Whether this browser knows a zone. */
export function known(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The reader's own zone. */
export function own() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** All that can be chosen. */
export function zones() {
  return ['UTC', ...(Intl.supportedValuesOf?.('timeZone') ?? [])];
}
