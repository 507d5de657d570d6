// Money or transactions over time: bars to brush a window out of, and the same as a table to the last digit.

import { makeBars } from '../chart.js';
import { amount, count, money, pixels } from '../decimals.js';
import { fill, h } from '../dom.js';
import { bucket, range } from '../times.js';
import { makePanel } from './panel.js';

/**
 * A chart of one or two series; `sides`: `{name, way, part}` each, `part` being its place in `update`'s parts.
 * `onBrush(start, end)`: a window was chosen; null: there is nothing to choose.
 */
export function makeSeries(id, title, sides, onBrush) {
  const panel = makePanel(id, title, 'series');
  const readout = h('p', { class: 'readout', role: 'status' });
  const bars = makeBars(`${id}-chart`, title, onBrush, (index, chosen) => tell(index, chosen));
  const table = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${title}, as a table` });
  const span = h('span', { class: 'span' });
  panel.tools.append(span);
  const details = h('details', { ontoggle: () => drawTable() }, h('summary', {}, 'As a table'), table);
  let state = null;

  function tell(index, chosen = 1) {
    const several = chosen > 1 ? `${chosen} chosen, Enter or letting go shows only those · ` : '';
    const said = index === null || !state ? '' : several + line(state, index);
    readout.textContent = said || (onBrush ? 'Drag over bars, or use the arrow keys, to look closer.' : '');
  }

  function drawTable() {
    if (!details.open || !state) return;
    const { shown, points, granularity, zone } = state;
    const heads = shown.flatMap(({ name }) => [`${name}`, `${name}, transactions`]);
    fill(
      table,
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'From'), heads.map((each) => h('th', { scope: 'col', class: 'number' }, each)))),
        h(
          'tbody',
          {},
          points[0].map((point, index) =>
            h(
              'tr',
              { 'data-start': point.start },
              h('th', { scope: 'row' }, bucket(point.start, granularity, zone), point.partial && h('small', { class: 'badge' }, 'partial')),
              points.flatMap((series) => [
                h('td', { class: 'number', 'data-exact': series[index].transactionAmount }, amount(series[index].transactionAmount)),
                h('td', { class: 'number' }, count(series[index].transactionCount)),
              ]),
            ),
          ),
        ),
      ),
    );
  }

  return {
    ...panel,
    begin(kept) {
      panel.begin(kept);
      if (!kept) [state, span.textContent] = [null, ''];
    },
    update(parts, errors, view, granularity) {
      const shown = sides.filter(({ way }) => view.direction === 'BOTH' || sides.length === 1 || way === view.direction);
      const series = shown.map(({ part }) => parts[part]);
      const error = errors.find(Boolean);
      const whole = series.every(Boolean) && { asOf: series[0].asOf, exact: series.every((each) => each.exact), series };
      panel.show(whole, error, view.zone, () => {
        const points = series.map((each) => each.points);
        state = { shown, points, granularity, zone: view.zone, measure: view.measure };
        if (!panel.body.contains(bars.element)) fill(panel.body, readout, bars.element, details);
        span.textContent = onBrush ? spanOf(points[0], view.zone) : '';
        if (points[0].length === 0) return fill(panel.body, h('p', { class: 'empty' }, 'No time has passed in this window.'));
        bars.draw({
          starts: points[0].map((point) => Date.parse(point.start)),
          ends: points[0].map((point) => Date.parse(point.end)),
          partial: points[0].map((point) => point.partial),
          series: points.map((each, index) => ({
            way: shown[index].way,
            // The second one hangs down from the line that the first one stands on.
            values: each.map((point) => (index ? -1 : 1) * measured(point, view.measure)),
          })),
          zone: view.zone,
          counts: view.measure === 'COUNT',
        });
        tell(null);
        drawTable();
      }, view.measure, view.direction);
      if (!panel.body.hasChildNodes()) span.textContent = '';
    },
  };
}

/** From when to when: what `last` and `calendar` meant, as the first and the last point are clipped to it. */
function spanOf(points, zone) {
  return points.length ? `${range(points[0].start, points.at(-1).end, zone)}, ${zone}` : '';
}

function measured(point, measure) {
  return measure === 'COUNT' ? point.transactionCount : pixels(point.transactionAmount);
}

function line({ shown, points, granularity, zone }, index) {
  const said = shown.map(({ name }, which) => {
    const point = points[which][index];
    return `${name.toLowerCase()} ${money(point.transactionAmount)} (${count(point.transactionCount)})`;
  });
  const partial = points[0][index].partial ? ', still partial' : '';
  return `${bucket(points[0][index].start, granularity, zone)}${partial}: ${said.join(' · ')}`;
}
