// How far the pipeline has come, always in view; and whether anybody answers at all.

import { ask } from './ask.js';
import { setCurrency } from './decimals.js';
import { fill, h } from './dom.js';
import { age, clock } from './times.js';

const EVERY_MS = 2_000;
const NAMES = { LIVE: ['good', 'Live'], DELAYED: ['warn', 'Delayed'], STALLED: ['bad', 'Stalled'] };

/**
 * Asks for the pipeline's age every two seconds. A subscription would not do: nothing is sent while only the
 * time goes on, and an age is nothing else.
 */
export function makeStatus(place, headers, onUnauthenticated, onCurrency) {
  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  const word = h('strong', { role: 'status' }, 'Asking …');
  const old = h('span', { class: 'age' });
  const sample = h('span', { class: 'badge', hidden: true }, 'sample data');
  fill(place, dot, word, old, sample);
  let told = null;
  let since = null;
  let refused = false;
  let timer = 0;

  async function look() {
    clearTimeout(timer);
    const giveUp = new AbortController();
    const late = setTimeout(() => giveUp.abort(), 5_000);
    try {
      const { data, errors } = await ask('pipeline_age', {}, headers(), giveUp.signal);
      if (data?.pipeline) {
        told = { ...data.pipeline, atMs: performance.now() };
        since = null;
        if (setCurrency(data.pipeline.currency)) onCurrency();
      } else {
        since ??= { atMs: Date.now(), message: errors?.[0]?.message ?? 'The pipeline cannot be told.', reached: true };
      }
    } catch (error) {
      if (error.status === 401) {
        refused = true;
        onUnauthenticated(error);
        return tell();
      }
      const reached = error.status > 0;
      since ??= { atMs: Date.now(), message: reached ? error.message : 'The gateway does not answer.', reached };
    } finally {
      clearTimeout(late);
    }
    tell();
    if (!document.hidden) timer = setTimeout(look, EVERY_MS);
  }

  function seconds() {
    return told.freshnessSeconds + (performance.now() - told.atMs) / 1000;
  }

  function tell() {
    const [mood, name] = refused
      ? ['', 'Credential needed']
      : since
        ? ['bad', 'No answer']
        : told
          ? (NAMES[told.state] ?? ['', told.state])
          : ['', 'Asking …'];
    dot.className = `dot ${mood}`;
    if (word.textContent !== name) word.textContent = name;
    old.textContent = told && !refused ? `${age(seconds())} behind` : '';
    sample.hidden = told?.dataSource !== 'SAMPLE';
  }

  setInterval(tell, 1_000);
  document.addEventListener('visibilitychange', () => !document.hidden && !refused && look());
  look();
  return {
    again() {
      refused = false;
      look();
    },
    /** The instant that everything is complete to, as far as is known; 0 while nothing is. */
    completeToMs: () => (told && !since ? Date.parse(told.asOf) : 0),
    isSample: () => told?.dataSource === 'SAMPLE',
    /** What is wrong, in a sentence; empty while nothing is. */
    outage(zone) {
      if (!since || Date.now() - since.atMs < 500) return '';
      const last = told ? ` Shown is what was last told, complete to ${clock(told.asOf, zone)}.` : '';
      return `${since.message} Since ${clock(since.atMs, zone)}.${last} It is asked for again every ${EVERY_MS / 1000} seconds.`;
    },
    stalled: () => Boolean(told) && !since && told.state === 'STALLED',
  };
}
