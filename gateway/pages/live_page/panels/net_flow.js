// What came in, what went out, and the difference.

import { amount, money, pixels, sign } from '../decimals.js';
import { digits, fill, h } from '../dom.js';
import { makePanel } from './panel.js';

/** Net flow of an account. */
export function makeNetFlow() {
  const panel = makePanel('net-flow', 'Net flow', 'totals net-flow');
  return {
    ...panel,
    update(flow, error, zone) {
      panel.show(flow, error, zone, () => fill(panel.body, contents(flow)));
    },
  };
}

function contents({ netAmount, received, sent }) {
  const words = ['more went out than came in', 'as much came in as went out', 'more came in than went out'];
  return [
    h('p', { class: 'figure', 'data-exact': netAmount }, money(netAmount, true)),
    h('p', { class: 'beside' }, words[sign(netAmount) + 1]),
    balance('in', received.transactionAmount, sent.transactionAmount),
    balance('out', sent.transactionAmount, received.transactionAmount),
  ];
}

function balance(way, text, other) {
  const most = Math.max(Math.abs(pixels(text)), Math.abs(pixels(other))) || 1;
  const bar = h('span', { class: `fillbar ${way}` });
  bar.style.setProperty('--part', String(Math.max(0, pixels(text) / most)));
  return h('p', { class: 'beside balance' }, h('span', {}, way), bar, h('span', { class: 'number' }, digits(amount(text))));
}
