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
const FARTHEST_MS = 16 * 3_600_000; // no midnight is farther from that of UTC

/** 09:30:05 */
export function clock(instant, zone) {
  return format(zone, SECONDS).format(new Date(instant));
}

/** Nov 30, 2026, 09:30:05 */
export function moment(instant, zone) {
  return format(zone, { ...DATE, ...SECONDS }).format(new Date(instant));
}

/** Nov 30, 09:30; Nov 30, 2024, 09:30 where that is not this year */
export function short(instant, zone) {
  const year = (at) => Object.fromEntries(partsOf(at, zone)).year;
  const date = year(instant) === year(Date.now()) ? { day: 'numeric', month: 'short' } : DATE;
  return format(zone, { ...date, ...TIME }).format(new Date(instant));
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

const NEAR_MS = 3 * 3_600_000; // no clock is set back by as much
const FROM = { WEEK: 'Week', QUARTER: 'Quarter', YEAR: 'Year' };

/** A bucket by its start, as fine as it is long; with the offset where the clock shows that time twice. */
export function bucket(start, granularity, zone) {
  const at = new Date(start);
  const name = format(zone, BUCKETS[granularity]).format(at);
  const word = FROM[granularity];
  if (word) return `${word} from ${name}`;
  const isTwice = BUCKETS[granularity].hour && isShownTwice(at.getTime(), zone);
  return isTwice ? format(zone, { ...BUCKETS[granularity], timeZoneName: 'shortOffset' }).format(at) : name;
}

/** Whether a clock that was set back shows the time of an instant before it or behind it as well. */
function isShownTwice(at, zone) {
  const back = offset(at - NEAR_MS, zone) - offset(at + NEAR_MS, zone);
  if (back <= 0) return false;
  const now = offset(at, zone);
  return offset(at - back, zone) - now === back || now - offset(at + back, zone) === back;
}

/** On an axis: as little as tells `stepMs` apart. */
export function axis(instant, stepMs, zone) {
  const day = 86_400_000;
  const options =
    stepMs < day ? TIME : stepMs < 28 * day ? { day: 'numeric', month: 'short' } : { month: 'short', year: '2-digit' };
  return format(zone, options).format(new Date(instant));
}

/** From when to when; the end is not included, so where a day begins is told as the day before. */
export function range(start, end, zone) {
  const [from, until] = [new Date(start), new Date(end)];
  const midnight = (date) => Date.parse(startOfDate(dateOf(date, zone), zone)) === date.getTime();
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

/** The first instant at which the zone's clock shows a date, so many days later, or, where it left that one out, the next. */
export function startOfDate(date, zone, days = 0) {
  const wall = Date.parse(`${date}T00:00:00Z`) + days * 86_400_000;
  const day = new Date(wall).toISOString().slice(0, 10);
  // By the offset of before and by that of behind: where the clock is set forward at midnight, the latter leads to the day before.
  const starts = [-1, 1].map((way) => wall - offset(wall + way * FARTHEST_MS, zone)).sort((a, b) => a - b);
  return new Date(starts[dateOf(starts[0], zone) >= day ? 0 : 1]).toISOString();
}

function offset(instant, zone) {
  const parts = Object.fromEntries(partsOf(instant, zone).map(([name, value]) => [name, Number(value)]));
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return wall - Math.floor(instant / 1000) * 1000;
}

const clocks = new Map();

function partsOf(instant, zone) {
  if (!clocks.has(zone)) {
    clocks.set(
      zone,
      new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
        timeZone: known(zone) ? zone : 'UTC',
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      }),
    );
  }
  return clocks.get(zone).formatToParts(new Date(instant)).map(({ type, value }) => [type, value]);
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
