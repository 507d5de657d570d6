// For operators: freshness and counts, what was rejected and why, and whether the tiers agree.

import { count } from '../decimals.js';
import { fill, h } from '../dom.js';
import { moment, range } from '../times.js';
import { makePanel } from './panel.js';

const WORDS = {
  BEHIND: 'Nothing is known to differ; the last minute is not compared yet.',
  CONSISTENT: 'All that was compared agrees.',
  INCONSISTENT: 'Something differs.',
  NOT_APPLICABLE: 'Sample data: there is nothing to compare.',
  LIVE: 'Up to 30 seconds behind, as promised.',
  DELAYED: '30 to 60 seconds behind.',
  STALLED: 'Over 60 seconds behind: more than is promised.',
};
const MOODS = { CONSISTENT: 'good', LIVE: 'good', NOT_APPLICABLE: '', BEHIND: 'warn', DELAYED: 'warn', INCONSISTENT: 'bad', STALLED: 'bad' };

/** A state as a word in its colour, and in words. */
function stateOf(state) {
  return h('p', { class: 'state' }, h('span', { class: `badge ${MOODS[state] ?? ''}` }, state.replaceAll('_', ' ').toLowerCase()), ` ${WORDS[state] ?? ''}`);
}

/** What the pipeline has counted since the beginning. */
export function makeFreshness() {
  const panel = makePanel('freshness', 'Pipeline', 'facts-panel');
  return {
    ...panel,
    update(pipeline, error, zone) {
      panel.show(pipeline, error, zone, () =>
        fill(
          panel.body,
          stateOf(pipeline.state),
          facts([
            ['Entries since the beginning', counted(pipeline.entries)],
            ['Rejected since the beginning', counted(pipeline.rejected)],
            ['Flood of rejects', pipeline.rejectFlood === null ? 'not told' : pipeline.rejectFlood ? h('span', { class: 'badge bad' }, 'yes') : 'no'],
            ['Data', pipeline.dataSource === 'SAMPLE' ? 'sample data, made up' : 'the events of the pipeline'],
          ]),
        ),
      );
    },
  };
}

/** What was rejected in the window, by reason. */
export function makeRejects() {
  const panel = makePanel('rejects', 'Rejected, by reason', 'facts-panel');
  return {
    ...panel,
    update(pipeline, error, zone) {
      const rows = pipeline?.rejectedByReason;
      const part = rows && { asOf: pipeline.asOf, rows };
      panel.show(part, error, zone, () => fill(panel.body, rows.length ? reasons(rows) : h('p', { class: 'empty' }, 'Nothing was rejected in this window.')));
    },
  };
}

function reasons(rows) {
  const most = Math.max(...rows.map((row) => row.count));
  return h(
    'table',
    { 'aria-labelledby': 'rejects-title' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Reason'), h('th', { scope: 'col', class: 'number' }, 'Events'))),
    h(
      'tbody',
      {},
      rows.map((row) => {
        const bar = h('span', { class: 'fillbar bad' });
        bar.style.setProperty('--part', String(row.count / most));
        return h('tr', {}, h('td', {}, h('code', {}, row.reason), h('span', { class: 'share' }, bar)), h('td', { class: 'number' }, count(row.count)));
      }),
    ),
  );
}

/** Whether raw events, entries and the store agree. */
export function makeAudit() {
  const panel = makePanel('audit', 'Completeness audit', 'facts-panel');
  return {
    ...panel,
    update(pipeline, error, zone) {
      const audit = pipeline?.audit;
      const part = audit && { asOf: pipeline.asOf, ...audit };
      panel.show(part, error, zone, () =>
        fill(
          panel.body,
          stateOf(audit.state),
          facts([
            ['Compared through', audit.comparedThrough ? moment(audit.comparedThrough, zone) : 'nothing yet'],
            ['Consistent through', audit.consistentThrough ? moment(audit.consistentThrough, zone) : 'nothing yet'],
            ['Intervals compared', count(audit.checkedIntervals)],
            ['Intervals that differ', count(audit.inconsistentIntervals)],
            ['Ids that came with other content', count(audit.conflictingDuplicates)],
          ]),
          audit.openMismatches.length > 0 && mismatches(audit.openMismatches, zone),
        ),
      );
    },
  };
}

function mismatches(open, zone) {
  return h(
    'table',
    { 'aria-label': 'What differs' },
    h('thead', {}, h('tr', {}, ['When', 'Tier', 'How', 'Times'].map((name) => h('th', { scope: 'col' }, name)))),
    h(
      'tbody',
      {},
      open.map((each) =>
        h('tr', {}, h('td', {}, range(each.start, each.end, zone)), h('td', {}, each.tier.toLowerCase()), h('td', {}, each.kind.replaceAll('_', ' ').toLowerCase()), h('td', { class: 'number' }, count(each.count))),
      ),
    ),
  );
}

function facts(pairs) {
  return h('dl', { class: 'facts' }, pairs.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

function counted(number) {
  return number === null ? 'not told' : count(number);
}
