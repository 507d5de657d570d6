// The first accounts of a ranking, with their shares and how they moved; what the rows leave out, and all of it.

import { amount, amountHeading, count, percent, pixels } from '../decimals.js';
import { digits, fill, h, unseen } from '../dom.js';
import { called } from '../view.js';
import { makePanel } from './panel.js';

/** A ranking; `linkOf(accountId)` is where a row leads. */
export function makeRanking(id, title, linkOf, way = 'in') {
  const panel = makePanel(id, title, 'ranking');
  return {
    ...panel,
    /** `entered`: the ids that were not among the rows a moment ago. */
    update(ranking, error, zone, entered = []) {
      panel.show(ranking, error, zone, () => fill(panel.body, contents(ranking, linkOf, way, panel, entered)), linkOf(''));
    },
  };
}

function contents({ rows, others, total }, linkOf, way, panel, entered) {
  if (rows.length === 0) return h('p', { class: 'empty' }, 'Nobody in this window.');
  const compared = rows.some((row) => row.comparison);
  return h(
    'table',
    { 'aria-labelledby': panel.heading.id },
    h(
      'thead',
      {},
      h('tr', {}, h('th', { scope: 'col' }, 'Rank'), h('th', { scope: 'col' }, 'Account', unseen(' and share')), h('th', { scope: 'col', class: 'number' }, amountHeading())),
    ),
    h('tbody', {}, rows.map((row) => rowOf(row, linkOf, way, compared, entered))),
    h(
      'tfoot',
      {},
      others && others.transactionCount > 0 && sumOf('Others', others, 'others'),
      total && sumOf('All', total, 'total'),
    ),
  );
}

function rowOf(row, linkOf, way, compared, entered) {
  const share = row.shareOfAmount;
  const bar = h('span', { class: `fillbar ${way}` });
  bar.style.setProperty('--part', String(Math.min(1, Math.max(0, pixels(share ?? '0')))));
  return h(
    'tr',
    { 'data-account': row.accountId, class: entered.includes(row.accountId) ? 'fresh' : false },
    h('td', { class: 'rank' }, String(row.rank), compared && movement(row.comparison)),
    h(
      'td',
      {},
      nameOf(row.accountId, linkOf),
      h('span', { class: 'share' }, bar, h('span', {}, share === null ? 'no share' : percent(share))),
    ),
    h(
      'td',
      { class: 'number' },
      h('span', { 'data-exact': row.transactionAmount }, digits(amount(row.transactionAmount))),
      h('small', {}, countOf(row.transactionCount)),
    ),
  );
}

/** An account, and where it leads. */
export function nameOf(accountId, linkOf) {
  return h('a', { class: 'code', href: linkOf(accountId), title: called(accountId) === accountId ? null : accountId, 'data-key': `account ${accountId}` }, called(accountId));
}

function movement(comparison) {
  if (!comparison) return null;
  const { isNew, rankChange, previousRank } = comparison;
  if (isNew) return h('small', { class: 'moved new' }, 'new');
  if (rankChange === null) return h('small', { class: 'moved up' }, h('span', { 'aria-hidden': 'true' }, '▲'), unseen('from far below'));
  if (rankChange === 0) return h('small', { class: 'moved' }, h('span', { 'aria-hidden': 'true' }, '–'), unseen('as before'));
  const rose = rankChange > 0;
  return h(
    'small',
    { class: `moved ${rose ? 'up' : 'down'}`, title: `was ${previousRank}` },
    h('span', { 'aria-hidden': 'true' }, `${rose ? '▲' : '▼'}${Math.abs(rankChange)}`),
    unseen(`${rose ? 'up' : 'down'} from ${previousRank}`),
  );
}

function sumOf(name, sum, kind) {
  const people = sum.counterpartyCount;
  return h(
    'tr',
    { 'data-sum': kind },
    h('th', { scope: 'row', colspan: 2 }, name, people === null || people === undefined ? '' : h('small', {}, `${count(people)} accounts`)),
    h(
      'td',
      { class: 'number' },
      h('span', { 'data-exact': sum.transactionAmount }, digits(amount(sum.transactionAmount))),
      h('small', {}, countOf(sum.transactionCount)),
    ),
  );
}

function countOf(number) {
  return `${count(number)} transaction${number === 1 ? '' : 's'}`;
}
