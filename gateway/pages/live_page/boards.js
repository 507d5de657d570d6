// Which panels stand on the page, and which part of a snapshot each is told.

import { ask } from './ask.js';
import { h } from './dom.js';
import { makeNetFlow } from './panels/net_flow.js';
import { makeAudit, makeFreshness, makeRejects } from './panels/pipeline.js';
import { makeRanking } from './panels/ranking.js';
import { makeSeries } from './panels/series.js';
import { makeTotals } from './panels/totals.js';
import { makeTransactions } from './panels/transactions.js';
import { grainOf, variables } from './view.js';

const FAST_MS = 2_000;
const SLOW_MS = 5_000;

/** An account's figures: one subscription, so that all panels are of one moment. */
export function makeAccountBoard({ linkTo, onBrush, headers, viewNow }) {
  const linkOf = (accountId) => linkTo({ counterparty: accountId });
  const older = async (after) => {
    const { window, timeZone, calendar, direction, counterpartyId } = variables(viewNow());
    const asked = { accountId: viewNow().account, window, timeZone, calendar, direction, counterpartyId, first: 20, after };
    const { data, errors } = await ask('transactions_page', asked, headers());
    if (!data?.account?.transactions) throw new Error(errors?.[0]?.message ?? 'no answer');
    return data.account.transactions;
  };
  const received = makeTotals('received', 'Received', 'sender');
  const sent = makeTotals('sent', 'Sent', 'receiver');
  const netFlow = makeNetFlow();
  const series = makeSeries(
    'series',
    'Over time',
    [
      { name: 'Received', way: 'RECEIVED', part: 'receivedSeries' },
      { name: 'Sent', way: 'SENT', part: 'sentSeries' },
    ],
    onBrush,
  );
  series.tools.append(h('span', { class: 'key in' }, 'received'), h('span', { class: 'key out' }, 'sent'));
  const transactions = makeTransactions(linkOf, older);
  const senders = makeRanking('senders', 'Top senders', linkOf, 'in');
  const receivers = makeRanking('receivers', 'Top receivers', linkOf, 'out');
  const panels = [received, sent, netFlow, series, senders, receivers, transactions];
  return {
    panels,
    name: 'account',
    streams: (view) => [{ document: 'live_account', variables: variables(view), intervalMs: FAST_MS, root: 'account' }],
    /** Shows a snapshot; returns a sentence about what came new. */
    update(_, account, errorAt, view, changes) {
      const { zone } = view;
      received.update(account?.received, errorAt('received'), zone);
      sent.update(account?.sent, errorAt('sent'), zone);
      netFlow.update(account?.netFlow, errorAt('netFlow'), zone);
      series.update(account ?? {}, [errorAt('receivedSeries'), errorAt('sentSeries')], view, grainOf(view));
      senders.update(account?.senders, errorAt('senders'), zone, enteredIn(changes, 'senders'));
      receivers.update(account?.receivers, errorAt('receivers'), zone, enteredIn(changes, 'receivers'));
      const arrived = transactions.update(account?.transactions, errorAt('transactions'), zone);
      return arrived ? `${arrived} new transaction${arrived === 1 ? '' : 's'}.` : '';
    },
  };
}

/** The whole system's, for its operators. */
export function makeNetworkBoard({ linkTo, onBrush }) {
  const linkOf = (accountId) => linkTo({ page: 'account', account: accountId, counterparty: '' });
  const totals = makeTotals('network-totals', 'The whole network', 'account');
  const freshness = makeFreshness();
  const audit = makeAudit();
  const series = makeSeries('network-series', 'Over time', [{ name: 'All accounts', way: 'RECEIVED', part: 'timeSeries' }], onBrush);
  const throughput = makeSeries('throughput', 'Throughput: transactions a minute, last hour', [{ name: 'All accounts', way: 'RECEIVED', part: 'throughput' }], null);
  const top = makeRanking('top-accounts', 'Busiest accounts', linkOf, 'in');
  const rejects = makeRejects();
  const panels = [totals, freshness, audit, series, throughput, top, rejects];
  return {
    panels,
    name: 'network',
    streams(view) {
      const { window, timeZone, calendar } = variables(view);
      return [
        { document: 'live_network', variables: variables(view), intervalMs: SLOW_MS, root: 'network' },
        { document: 'live_pipeline', variables: { window, timeZone, calendar }, intervalMs: FAST_MS, root: 'pipeline' },
      ];
    },
    update(root, data, errorAt, view, changes) {
      const { zone } = view;
      if (root === 'pipeline') {
        freshness.update(data, errorAt('entries'), zone);
        rejects.update(data, errorAt('rejectedByReason'), zone);
        audit.update(data, errorAt('audit'), zone);
        return '';
      }
      const sent = view.direction === 'SENT';
      top.heading.textContent = `Top ${sent ? 'senders' : 'receivers'} of all`;
      totals.update(data?.totals, errorAt('totals'), zone);
      top.update(data?.topAccounts, errorAt('topAccounts'), zone, enteredIn(changes, 'topAccounts'));
      series.update(data ?? {}, [errorAt('timeSeries')], view, grainOf(view));
      throughput.update(data ?? {}, [errorAt('throughput')], { ...view, measure: 'COUNT', direction: 'BOTH' }, 'MINUTE');
      return '';
    },
  };
}

function enteredIn(changes, field) {
  return changes.find(({ path }) => path[1] === field)?.entered ?? [];
}
