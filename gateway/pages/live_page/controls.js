// What is shown: account, window, zone, calendar, direction, measure, comparison, buckets. Plain fields, so every
// keyboard and screen reader knows them.

import { fill, h } from './dom.js';
import { dateOf, startOfDate, zones } from './times.js';
import { COMPARISONS, DIRECTIONS, MEASURES, WEEK_STARTS, called, grainOf } from './view.js';
import { OFFERED, between, grains, interval, nameOf } from './windows.js';
import { range } from './times.js';

const WORDS = { BOTH: 'Both ways', RECEIVED: 'Received', SENT: 'Sent', AMOUNT: 'Money', COUNT: 'Transactions', MONDAY: 'Monday', SATURDAY: 'Saturday', SUNDAY: 'Sunday' };
const MONTHS = Array.from({ length: 12 }, (_, month) => new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2026, month)));
const OWN = 'own';

/** The fields; `onChange(changed)` is told what of the view is another now. */
export function makeControls(form, onChange) {
  const account = h('input', { id: 'account', autocomplete: 'off', spellcheck: 'false', placeholder: 'its id', size: 13 });
  const window = h('select', { id: 'window' });
  const from = h('input', { id: 'from', type: 'date' });
  const to = h('input', { id: 'to', type: 'date' });
  const dates = h('div', { class: 'dates', hidden: true }, field('From', from), field('To, included', to));
  const zone = h('input', { id: 'zone', list: 'zones', autocomplete: 'off', spellcheck: 'false', size: 16 });
  const weeks = h('select', { id: 'weeks' }, WEEK_STARTS.map((day) => h('option', { value: day }, WORDS[day])));
  const years = h('select', { id: 'years' }, MONTHS.map((name, index) => h('option', { value: index + 1 }, name)));
  const compare = h('select', { id: 'compare' }, COMPARISONS.map(([name, words]) => h('option', { value: name }, words)));
  const buckets = h('select', { id: 'buckets' });
  const direction = choice('direction', 'Direction', DIRECTIONS, (value) => onChange({ direction: value }));
  const measure = choice('measure', 'Measure', MEASURES, (value) => onChange({ measure: value }));
  const accountField = field('Account', account);
  const chips = h('div', { class: 'chips' });
  let view = null;

  fill(
    form,
    accountField,
    field('Window', window),
    dates,
    field('Time zone', zone),
    field('Weeks from', weeks),
    field('Years from', years),
    direction.element,
    measure.element,
    field('Compared with', compare),
    field('Buckets', buckets),
    h('button', { class: 'unseen', type: 'submit', tabindex: -1 }, 'Show'),
    chips,
    h('datalist', { id: 'zones' }, zones().map((name) => h('option', { value: name }))),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    takeTexts();
  });
  account.addEventListener('change', takeTexts);
  zone.addEventListener('change', takeTexts);
  weeks.addEventListener('change', () => onChange({ weekStart: weeks.value }));
  years.addEventListener('change', () => onChange({ yearStartMonth: Number(years.value) }));
  compare.addEventListener('change', () => onChange({ compare: compare.value }));
  buckets.addEventListener('change', () => onChange({ grain: buckets.value }));
  window.addEventListener('change', () => {
    dates.hidden = window.value !== OWN;
    if (window.value === OWN) from.focus();
    else onChange({ window: window.value, grain: '' });
  });
  for (const each of [from, to]) {
    each.addEventListener('change', () => {
      if (!from.value || !to.value || to.value < from.value) return;
      onChange({ window: between(startOfDate(from.value, view.zone), startOfDate(to.value, view.zone, 1)), grain: '' });
    });
  }

  function takeTexts() {
    const changed = { account: account.value.trim(), zone: zone.value.trim() || 'UTC' };
    if (changed.account !== view.account || changed.zone !== view.zone) {
      onChange(changed.account === view.account ? changed : { ...changed, counterparty: '' });
    }
  }

  /** Show a view in the fields. */
  function show(shown) {
    view = shown;
    accountField.hidden = view.page === 'network';
    account.value = view.account;
    zone.value = view.zone;
    weeks.value = view.weekStart;
    years.value = view.yearStartMonth;
    compare.value = view.compare;
    direction.choose(view.direction);
    measure.choose(view.measure);
    const own = interval(view.window);
    const known = OFFERED.some(({ windows }) => windows.some(([code]) => code === view.window));
    const named = own ? range(...own, view.zone) : nameOf(view.window);
    fill(
      window,
      !known && h('option', { value: view.window }, named),
      OFFERED.map(({ group, windows }) => h('optgroup', { label: group }, windows.map(([code, name]) => h('option', { value: code }, name)))),
      h('option', { value: OWN }, 'Choose dates …'),
    );
    window.value = view.window;
    dates.hidden = true;
    from.value = own ? dateOf(own[0], view.zone) : '';
    to.value = own ? dateOf(Date.parse(own[1]) - 1, view.zone) : '';
    const fitting = grainOf({ ...view, grain: '' });
    const words = new Map(grains(view.window));
    fill(
      buckets,
      h('option', { value: '' }, `Auto (${(words.get(fitting) ?? fitting).toLowerCase()})`),
      grains(view.window).map(([grain, name]) => h('option', { value: grain }, name)),
    );
    buckets.value = view.grain;
    fill(
      chips,
      view.counterparty && view.page === 'account' && chip(`Only with ${called(view.counterparty)}; rankings with all`, 'Show all counterparties', () => onChange({ counterparty: '' })),
      own && chip(`Only ${named}`, 'Back to the window before', () => onChange({ zoomOut: true })),
    );
  }

  return { show, account };
}

function field(name, input) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, name), input);
}

function chip(text, action, onclick) {
  return h('span', { class: 'chip wide' }, text, h('button', { type: 'button', class: 'plain', onclick, 'data-key': action }, action));
}

function choice(name, title, values, onPick) {
  const inputs = values.map((value) => h('input', { type: 'radio', name, value, id: `${name}-${value.toLowerCase()}`, onchange: () => onPick(value) }));
  const element = h(
    'fieldset',
    { class: 'field choice' },
    h('legend', {}, title),
    h('div', { class: 'segments' }, inputs.map((input, index) => [input, h('label', { for: input.id }, WORDS[values[index]])])),
  );
  return {
    element,
    choose(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
