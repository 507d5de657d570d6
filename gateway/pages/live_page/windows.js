// Timeframes: as the address has them, as the API takes them, and as people call them.

/** What is offered; `days` is about how long each is. */
export const OFFERED = [
  {
    group: 'Up to now',
    windows: [
      ['last-60-MINUTE', 'Last 60 minutes'],
      ['last-24-HOUR', 'Last 24 hours'],
      ['last-7-DAY', 'Last 7 days'],
      ['last-30-DAY', 'Last 30 days'],
      ['last-90-DAY', 'Last 90 days'],
      ['last-12-MONTH', 'Last 12 months'],
    ],
  },
  {
    group: 'Calendar',
    windows: [
      ['today', 'Today'],
      ['yesterday', 'Yesterday'],
      ['this-week', 'This week'],
      ['last-week', 'Last week'],
      ['this-month', 'This month'],
      ['last-month', 'Last month'],
      ['this-quarter', 'This quarter'],
      ['last-quarter', 'Last quarter'],
      ['this-year', 'This year'],
      ['last-year', 'Last year'],
    ],
  },
  {
    group: 'Whole periods only',
    windows: [
      ['full-30-DAY', '30 full days'],
      ['full-12-WEEK', '12 full weeks'],
      ['full-12-MONTH', '12 full months'],
      ['full-8-QUARTER', '8 full quarters'],
    ],
  },
  {
    group: 'Whole periods and the running one',
    windows: [
      ['running-30-DAY', '30 days with today'],
      ['running-12-WEEK', '12 weeks with this one'],
      ['running-12-MONTH', '12 months with this one'],
      ['running-3-YEAR', '3 years with this one'],
    ],
  },
];

export const DEFAULT = 'last-30-DAY';

const NAMES = new Map(OFFERED.flatMap(({ windows }) => windows));
const UNIT_DAYS = { MINUTE: 1 / 1440, HOUR: 1 / 24, DAY: 1, WEEK: 7, MONTH: 30.4, QUARTER: 91.3, YEAR: 365.25 };
const CALENDAR_DAYS = { today: 1, yesterday: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };
const COUNTED = /^(last|full|running)-(\d{1,5})-(MINUTE|HOUR|DAY|WEEK|MONTH|QUARTER|YEAR)$/;
const CALENDAR = /^(today|yesterday|(?:this|last)-(?:week|month|quarter|year))$/;
const OF_MONTHS = /^((full|running)-\d+-|this-|last-)(MONTH|QUARTER|YEAR)$/i;
const FIELDS = { last: 'last', full: 'lastFull', running: 'lastWithRunning' };

/** What the API takes for `$window`; null for what is no window. */
export function toInput(code) {
  const counted = COUNTED.exec(code);
  if (counted) return { [FIELDS[counted[1]]]: { count: Number(counted[2]), unit: counted[3] } };
  if (CALENDAR.test(code)) return { calendar: code.toUpperCase().replace('-', '_') };
  const [start, end] = interval(code) ?? [];
  return start ? { between: { start, end } } : null;
}

/** The two instants of a window that has them; null for others. */
export function interval(code) {
  const [start, end] = code.split('..');
  const whole = end !== undefined && Date.parse(start) < Date.parse(end);
  return whole ? [start, end] : null;
}

/** The window between two instants. */
export function between(start, end) {
  return `${new Date(start).toISOString()}..${new Date(end).toISOString()}`;
}

/** What people call it; null for a window between two instants. */
export function nameOf(code) {
  if (NAMES.has(code)) return NAMES.get(code);
  const counted = COUNTED.exec(code);
  if (!counted) return null;
  const [, kind, count, unit] = counted;
  const units = `${count} ${kind === 'last' ? '' : 'whole '}${unit.toLowerCase()}${count === '1' ? '' : 's'}`;
  return `Last ${units}${kind === 'running' ? ', with the running one' : ''}`;
}

function daysOf(code) {
  const counted = COUNTED.exec(code);
  if (counted) return Number(counted[2]) * UNIT_DAYS[counted[3]];
  const [start, end] = interval(code) ?? [];
  if (start) return (Date.parse(end) - Date.parse(start)) / 86_400_000;
  return CALENDAR_DAYS[code.split('-').at(-1)] ?? 30;
}

const GRAINS = [
  ['MINUTE', 1 / 1440, 'Minutes'],
  ['FIVE_MINUTES', 5 / 1440, '5 minutes'],
  ['FIFTEEN_MINUTES', 15 / 1440, '15 minutes'],
  ['HOUR', 1 / 24, 'Hours'],
  ['DAY', 1, 'Days'],
  ['WEEK', 7, 'Weeks'],
  ['MONTH', 30.4, 'Months'],
  ['QUARTER', 91.3, 'Quarters'],
  ['YEAR', 365.25, 'Years'],
];
const MOST_BARS = 170;
const MOST_POINTS = 900; // two series of six values a point fit into `limits.maxValues`

/** The sizes of buckets that fit a window, coarse enough for the limits as they are by default. */
export function grains(code) {
  const days = daysOf(code);
  const fitting = GRAINS.filter(([, size]) => days / size <= MOST_POINTS && (days / size >= 1.5 || size === 1 / 1440));
  return fitting.map(([grain, , name]) => [grain, name]);
}

/** The finest that still makes bars which can be told apart; of whole months no weeks, which they would clip. */
export function grainFor(code) {
  const days = daysOf(code);
  const fits = ([grain, size]) => days / size <= MOST_BARS && !(grain === 'WEEK' && OF_MONTHS.test(code));
  return (GRAINS.find(fits) ?? GRAINS.at(-1))[0];
}
