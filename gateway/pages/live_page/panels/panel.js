// The frame of every panel: a heading, what it shows, as of when, and what is wrong with it if something is.

import { fill, h } from '../dom.js';
import { clock, dateOf, moment } from '../times.js';

const QUIET_MS = 4_000;

/** While nobody can answer, the line on top of the page says why; a panel says what it still shows. */
function wrong({ message, code, extensions }, hasOld) {
  if ((code ?? extensions?.code) !== 'BACKEND_UNAVAILABLE') return `Not available: ${message}`;
  return hasOld ? 'Not available now: below is what was told last.' : 'Not available now.';
}

/** A panel. `show(part, error, zone, render)` takes what an answer says of it, or why it says nothing. */
export function makePanel(id, title, kind = '') {
  const heading = h('h2', { id: `${id}-title` }, title);
  const tools = h('div', { class: 'tools' });
  const trouble = h('p', { class: 'trouble' });
  const body = h('div', { class: 'body' });
  const instant = h('time', {});
  const rest = h('span', {});
  const foot = h('p', { class: 'asof', hidden: true }, 'As of ', instant, rest);
  const element = h(
    'section',
    { id, class: `card panel ${kind}`, 'aria-labelledby': `${id}-title`, 'aria-busy': true },
    h('header', {}, heading, tools),
    trouble,
    body,
    foot,
  );
  let shown = '';
  let redraw = null;
  let answered = false;
  let asOf = 0;
  let isExact = true;

  function show(part, error, zone, render, ...others) {
    element.removeAttribute('aria-busy');
    trouble.textContent = error ? wrong(error, answered || part) : '';
    element.classList.toggle('failed', Boolean(error));
    // What was told last stays below the words that say what is wrong; but only of this very question.
    if (!part) return answered || empty();
    answered = true;
    // What only moves with the time is no reason to draw anew, or to take the reader's place from him.
    const news = JSON.stringify([{ ...part, asOf: '' }, zone, others]);
    if (news !== shown) {
      shown = news;
      redraw = () => render(part);
      redraw();
    }
    if (!part.asOf) return;
    foot.hidden = false;
    asOf = Date.parse(part.asOf);
    isExact = part.exact ?? true;
    const today = dateOf(part.asOf, zone) === dateOf(Date.now(), zone);
    instant.textContent = today ? clock(part.asOf, zone) : moment(part.asOf, zone);
    instant.dateTime = part.asOf;
    instant.title = `${moment(part.asOf, zone)} (${zone})`;
  }

  function empty() {
    shown = '';
    redraw = null;
    fill(body);
    foot.hidden = true;
  }

  return {
    element,
    heading,
    tools,
    body,
    show,
    /** Once more what is shown, where it is to be written otherwise. */
    redraw: () => redraw?.(),
    /** Another question begins: what is shown is of the one before, and is `kept` until there is an answer. */
    begin(kept) {
      answered = false;
      trouble.textContent = '';
      element.classList.remove('failed');
      element.setAttribute('aria-busy', 'true');
      if (!kept) empty();
    },
    /** While a stream is silent nothing of it changed: said beside an instant that grows old. */
    tick(completeToMs, isLive) {
      const silent = isLive && completeToMs - asOf > QUIET_MS;
      const notes = [silent ? 'unchanged since' : '', isExact ? '' : 'not exact: the store cut groups'];
      const said = notes.filter(Boolean).map((note) => ` · ${note}`).join('');
      if (rest.textContent !== said) rest.textContent = said;
    },
  };
}
