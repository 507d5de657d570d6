// How many transactions and how much money, with the change since an earlier window.

import { amount, count, money, percent, rounded, sign } from '../decimals.js';
import { fill, h } from '../dom.js';
import { range } from '../times.js';
import { makePanel } from './panel.js';

/** Totals in one direction; `people` names one on the other side. */
export function makeTotals(id, title, people) {
  const panel = makePanel(id, title, `totals ${id}`);
  return {
    ...panel,
    update(totals, error, zone) {
      panel.show(totals, error, zone, () => fill(panel.body, contents(totals, people, zone)));
    },
  };
}

function contents(totals, people, zone) {
  const { reversals, comparison, counterpartyCount } = totals;
  return [
    h('p', { class: 'figure', 'data-exact': totals.transactionAmount }, money(totals.transactionAmount)),
    h(
      'p',
      { class: 'beside' },
      h('strong', { 'data-exact': totals.transactionCount }, count(totals.transactionCount)),
      ` transaction${totals.transactionCount === 1 ? '' : 's'}`,
      counterpartyCount === null ? '' : ` · ${count(counterpartyCount)} ${people}${counterpartyCount === 1 ? '' : 's'}`,
      totals.averageAmount === null ? '' : ` · ${rounded(totals.averageAmount)} on average`,
    ),
    reversals.transactionCount > 0 &&
      h(
        'p',
        { class: 'beside' },
        `${count(reversals.transactionCount)} reversal${reversals.transactionCount === 1 ? '' : 's'} took back ${amount(reversals.transactionAmount)}`,
      ),
    comparison && change(comparison, zone),
    totals.window.final && h('p', { class: 'beside' }, 'Final: nothing that counts can still come for this window.'),
  ];
}

/** The change of the amount: a ratio where there is one, the difference, and since when. */
export function change(comparison, zone) {
  const way = sign(comparison.transactionAmountChange);
  const ratio = comparison.transactionAmountChangeRatio;
  const words = ['less than', 'the same as', 'more than'][way + 1];
  return h(
    'p',
    { class: 'beside change' },
    h(
      'span',
      { class: `chip ${['down', 'same', 'up'][way + 1]}` },
      h('span', { 'aria-hidden': 'true' }, ['▼ ', '= ', '▲ '][way + 1]),
      ratio === null ? amount(comparison.transactionAmountChange, true) : percent(ratio, true),
      h('span', { class: 'unseen' }, ` ${words} before`),
    ),
    ` from ${amount(comparison.transactionAmount)} · ${range(comparison.window.start, comparison.window.end, zone)}`,
  );
}
