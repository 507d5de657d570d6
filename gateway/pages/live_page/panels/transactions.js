// The latest transactions, as they arrive; older ones by the cursor that the API gives.

import { amount, amountHeading, sign } from '../decimals.js';
import { digits, fill, h, unseen } from '../dom.js';
import { clock, dateOf, moment, short } from '../times.js';
import { makePanel } from './panel.js';
import { nameOf } from './ranking.js';

/** The list; `older(cursor)` gives the connection behind a cursor, `linkOf` where an account leads. */
export function makeTransactions(linkOf, older) {
  const panel = makePanel('transactions', 'Latest transactions', 'transactions');
  const more = h('button', { type: 'button', hidden: true }, 'Older');
  panel.body.after(h('div', { class: 'more' }, more));
  let behind = [];
  let seen = null;
  let cursor = null;
  let zone = 'UTC';
  let latest = [];

  more.addEventListener('click', async () => {
    more.disabled = true;
    try {
      const page = await older(cursor);
      behind = merged(behind, [...latest, ...nodesOf(page)]);
      cursor = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      draw([]);
    } catch (error) {
      panel.show(null, error, zone, () => {});
    } finally {
      more.disabled = false;
    }
  });

  function draw(arrived) {
    // What was paged through stays where it was, and what arrives since goes on top of it.
    const list = behind.length ? merged(latest, behind) : latest;
    more.hidden = cursor === null;
    if (list.length === 0) return fill(panel.body, h('p', { class: 'empty' }, 'None in this window.'));
    const rows = list.map((node) => rowOf(node, zone, linkOf, arrived.includes(keyOf(node))));
    fill(
      panel.body,
      h(
        'table',
        { 'aria-labelledby': panel.heading.id },
        h(
          'thead',
          {},
          h('tr', {}, h('th', { scope: 'col' }, 'Time'), h('th', { scope: 'col' }, 'Account'), h('th', { scope: 'col', class: 'number' }, amountHeading())),
        ),
        h('tbody', {}, rows),
      ),
    );
  }

  return {
    ...panel,
    begin(kept) {
      panel.begin(kept);
      [behind, seen, cursor, latest] = [[], null, null, []];
      more.hidden = true;
    },
    /** Returns how many arrived since the snapshot before. */
    update(connection, error, inZone) {
      zone = inZone;
      let arrived = [];
      panel.show(connection, error, zone, () => {
        latest = nodesOf(connection);
        if (behind.length === 0) cursor = connection.pageInfo.hasNextPage ? connection.pageInfo.endCursor : null;
        else behind = merged(latest, behind);
        arrived = seen ? latest.map(keyOf).filter((key) => !seen.has(key)) : [];
        seen = new Set([...(seen ?? []), ...latest.map(keyOf)]);
        draw(arrived);
      }, linkOf(''));
      return arrived.length;
    },
  };
}

const nodesOf = (connection) => connection.edges.map(({ node }) => node);
const keyOf = ({ transactionId, direction, kind }) => `${transactionId} ${direction} ${kind}`;

function merged(newer, olderOnes) {
  const all = new Map([...newer, ...olderOnes].map((node) => [keyOf(node), node]));
  return [...all.values()].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
}

function rowOf(node, zone, linkOf, isFresh) {
  const received = node.direction === 'RECEIVED';
  const reversal = node.kind === 'REVERSAL';
  const today = dateOf(node.time, zone) === dateOf(Date.now(), zone);
  return h(
    'tr',
    { 'data-transaction': node.transactionId, class: isFresh ? 'fresh' : false },
    h(
      'td',
      {},
      h('time', { datetime: node.time, title: moment(node.time, zone) }, today ? clock(node.time, zone) : short(node.time, zone)),
    ),
    h(
      'td',
      {},
      h('span', { class: `way ${received ? 'in' : 'out'}`, 'aria-hidden': 'true' }, received ? '↙' : '↗'),
      unseen(received ? 'from ' : 'to '),
      nameOf(node.counterpartyId, linkOf),
      reversal && h('small', { class: 'badge' }, 'reversal'),
    ),
    h(
      'td',
      { class: `number ${sign(node.amount) < 0 ? 'negative' : ''}`, 'data-exact': node.amount },
      digits(amount(node.amount)),
    ),
  );
}
