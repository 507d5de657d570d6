// What is looked at. The address's fragment is the whole of it, so a view can be sent to a colleague; a
// fragment stays in the browser, so no account id is in a server's or a proxy's log.

import { own } from './times.js';
import { DEFAULT, grainFor, grains, toInput } from './windows.js';

export const DIRECTIONS = ['BOTH', 'RECEIVED', 'SENT'];
export const MEASURES = ['AMOUNT', 'COUNT'];
export const COMPARISONS = [
  ['PREVIOUS_PERIOD_TO_DATE', 'before, to date'],
  ['PREVIOUS_PERIOD', 'the whole before'],
  ['PREVIOUS_YEAR_TO_DATE', 'a year ago, to date'],
  ['PREVIOUS_YEAR', 'a year ago'],
];
export const WEEK_STARTS = ['MONDAY', 'SATURDAY', 'SUNDAY'];
const MASKED = 'masked:';
const COMPARED = COMPARISONS.map(([name]) => name);

/** The view that a fragment says; what it does not say, or says wrongly, is as by default. */
export function read(fragment) {
  const said = new URLSearchParams(isUtf8(fragment) ? fragment.replace(/^#/, '') : '');
  const among = (name, known) => known.find((each) => each === said.get(name)?.toUpperCase()) ?? known[0];
  // A plus sign that nobody encoded is read as a blank, which neither of these has.
  const code = (name) => said.get(name)?.replaceAll(' ', '+');
  const window = code('window') ?? DEFAULT;
  const view = {
    page: said.get('view') === 'network' ? 'network' : 'account',
    account: said.get('account')?.trim() ?? '',
    counterparty: said.get('with')?.trim() ?? '',
    window: toInput(window) ? window : DEFAULT,
    zone: code('zone') || own(),
    weekStart: among('weeks', WEEK_STARTS),
    yearStartMonth: Number(/^([1-9]|1[0-2])$/.exec(said.get('years'))?.[0] ?? 1),
    direction: among('direction', DIRECTIONS),
    measure: among('measure', MEASURES),
    compare: among('compare', COMPARED),
    grain: said.get('buckets')?.toUpperCase() ?? '',
  };
  if (!grains(view.window).some(([grain]) => grain === view.grain)) view.grain = '';
  return view;
}

/** Whether it can be read as it is: of other bytes URLSearchParams makes replacement characters, and so another account. */
function isUtf8(fragment) {
  try {
    decodeURIComponent(fragment);
    return true;
  } catch {
    return false;
  }
}

/** The fragment of a view. Window and zone are always in it: who opens the link sees the same figures. */
export function write(view) {
  const said = new URLSearchParams();
  if (view.page === 'network') said.set('view', 'network');
  if (view.account) said.set('account', view.account);
  if (view.counterparty) said.set('with', view.counterparty);
  said.set('window', view.window);
  said.set('zone', view.zone);
  if (view.weekStart !== WEEK_STARTS[0]) said.set('weeks', view.weekStart.toLowerCase());
  if (view.yearStartMonth !== 1) said.set('years', view.yearStartMonth);
  if (view.direction !== DIRECTIONS[0]) said.set('direction', view.direction.toLowerCase());
  if (view.measure !== MEASURES[0]) said.set('measure', view.measure.toLowerCase());
  if (view.compare !== COMPARED[0]) said.set('compare', view.compare.toLowerCase());
  if (view.grain) said.set('buckets', view.grain.toLowerCase());
  return `#${said.toString().replaceAll('%2F', '/').replaceAll('%3A', ':')}`;
}

/** What the documents take. */
export function variables(view) {
  const both = view.direction === 'BOTH';
  const common = {
    window: toInput(view.window),
    timeZone: view.zone,
    calendar: { weekStart: view.weekStart, yearStartMonth: view.yearStartMonth },
    granularity: grainOf(view),
    compareTo: view.compare,
    orderBy: `TRANSACTION_${view.measure}`,
  };
  if (view.page === 'network') return { ...common, direction: both ? 'RECEIVED' : view.direction };
  return {
    ...common,
    accountId: view.account,
    direction: both ? null : view.direction,
    counterpartyId: view.counterparty || null,
  };
}

/** An account's id as people are told it: a masked one, which has 83 characters and more, by its first. */
export function called(accountId) {
  return accountId.startsWith(MASKED) ? `masked ${accountId.slice(MASKED.length, MASKED.length + 8)}…` : accountId;
}

/** The size of the buckets, chosen or fitting. */
export function grainOf(view) {
  return view.grain || grainFor(view.window);
}
