// Bars over time, drawn by uPlot, with one brush for mouse, touch and keyboard.

import { tick } from './decimals.js';
import { h } from './dom.js';
import { axis, known } from './times.js';

const HEIGHT = 250;
const WHOLE = [1, 2, 5].flatMap((each) => Array.from({ length: 15 }, (_, power) => each * 10 ** power)).sort((a, b) => a - b);

/**
 * Bars. `onBrush(start, end)`: a stretch of whole buckets was chosen, as instants in milliseconds, or null if
 * there is no choosing; `onPoint(index, chosen)`: a bucket is pointed at, or none
 * (null), and so many are chosen.
 */
export function makeBars(id, title, onBrush, onPoint) {
  const place = h('div', { class: 'plot' });
  const hint = h(
    'p',
    { id: `${id}-hint`, class: 'unseen' },
    `Left and right arrow: from bar to bar. ${onBrush ? 'With Shift: choose several. Enter: show only those. Escape: none.' : ''}`,
  );
  const element = h(
    'div',
    { id, class: 'bars', tabindex: 0, role: 'group', 'aria-roledescription': 'chart', 'aria-label': title, 'aria-describedby': `${id}-hint`, onkeydown: onKey, onblur: leave },
    place,
    hint,
  );
  let plot = null;
  let data = null;
  let at = null;
  let from = null;
  let brushing = false;

  const sized = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
  sized.observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => data && draw(data));

  function draw(given) {
    const atStart = at === null ? null : data.starts[at];
    data = given;
    if (brushing) return; // drawn when the pointer is up
    plot?.destroy();
    if (!window.uPlot) {
      place.replaceChildren(h('p', { class: 'empty' }, 'The chart library is not here (GATEWAY_PAGE_ASSETS names its folder); the table below has every figure.'));
      return;
    }
    plot = new window.uPlot(options(), [data.starts.map((ms) => ms / 1000), ...data.series.map(({ values }) => values)], place);
    if (onBrush) listenToPointer(plot.over);
    plot.over.addEventListener('pointermove', (event) => !brushing && point(indexAt(event), false));
    plot.over.addEventListener('pointerleave', () => !brushing && leave());
    at = atStart === null ? null : data.starts.indexOf(atStart);
    if (at === -1) at = from = null;
    else if (at !== null) mark();
  }

  function options() {
    const colours = getComputedStyle(document.documentElement);
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    const ink = { stroke: colour('soft'), font: '12px system-ui, sans-serif' };
    const { zone } = data;
    const bars = data.series.map(({ way }) => ({ fill: colour(way === 'SENT' ? 'sent' : 'received'), paths: () => null, points: { show: false } }));
    return {
      width: place.clientWidth || 600,
      height: HEIGHT,
      padding: [10, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), known(zone) ? zone : 'UTC'),
      scales: {
        x: { time: true, range: [data.starts[0] / 1000, data.ends.at(-1) / 1000] },
        y: { range: (_, least, most) => [Math.min(0, least * 1.05), Math.max(0, most * 1.05) || 1] },
      },
      axes: [
        { ...ink, space: 64, grid: { show: false }, ticks: { stroke: colour('line') }, values: (_, at, __, ___, step) => at.map((each) => axis(each * 1000, step * 1000, zone)) },
        { ...ink, size: 54, ...(data.counts ? { incrs: WHOLE } : {}), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, values: (_, at) => at.map((each) => tick(Math.abs(each))) },
      ],
      series: [{}, ...bars],
      hooks: { draw: [drawBars] },
    };
  }

  /** uPlot's own bars are all as wide as the narrowest; a clipped bucket, or February, is not. */
  function drawBars({ ctx, series, valToPos }) {
    const base = valToPos(0, 'y', true);
    data.series.forEach(({ values }, which) => {
      ctx.fillStyle = series[which + 1].fill();
      values.forEach((value, index) => {
        const left = valToPos(data.starts[index] / 1000, 'x', true);
        const right = valToPos(data.ends[index] / 1000, 'x', true);
        const gap = Math.min(6, (right - left) * 0.12);
        const top = valToPos(value, 'y', true);
        ctx.globalAlpha = data.partial[index] ? 0.45 : 1;
        ctx.fillRect(left + gap / 2, Math.min(top, base), Math.max(1, right - left - gap), Math.abs(top - base));
      });
    });
    ctx.globalAlpha = 1;
  }

  function indexAt(event) {
    const box = plot.over.getBoundingClientRect();
    const ms = plot.posToVal(Math.min(box.width, Math.max(0, event.clientX - box.left)), 'x') * 1000;
    const next = data.starts.findIndex((start) => start > ms);
    return next === -1 ? data.starts.length - 1 : Math.max(0, next - 1);
  }

  function listenToPointer(over) {
    over.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      over.setPointerCapture(event.pointerId);
      brushing = true;
      from = indexAt(event);
      point(from, true);
    });
    over.addEventListener('pointermove', (event) => brushing && point(indexAt(event), true));
    over.addEventListener('pointerup', () => {
      brushing = false;
      if (from !== null && from !== at) choose();
      else (leave(), draw(data));
    });
    over.addEventListener('pointercancel', () => {
      brushing = false;
      leave();
      draw(data);
    });
  }

  function point(index, keep) {
    at = index;
    if (!keep) from = null;
    mark();
    onPoint(index, from === null ? 1 : Math.abs(index - from) + 1);
  }

  function mark() {
    if (!plot) return;
    const [first, last] = [Math.min(at, from ?? at), Math.max(at, from ?? at)];
    const left = plot.valToPos(data.starts[first] / 1000, 'x');
    const width = plot.valToPos(data.ends[last] / 1000, 'x') - left;
    plot.setSelect({ left, width, top: 0, height: plot.over.clientHeight }, false);
  }

  function leave() {
    at = from = null;
    plot?.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    onPoint(null);
  }

  function choose() {
    const [first, last] = [Math.min(at, from ?? at), Math.max(at, from ?? at)];
    const chosen = [data.starts[first], data.ends[last]];
    leave();
    onBrush(...chosen);
  }

  function onKey(event) {
    if (!data) return;
    const last = data.starts.length - 1;
    const ways = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: last };
    if (event.key in ways && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const next = Math.min(last, Math.max(0, ways[event.key]));
      if (event.shiftKey && onBrush) from ??= at ?? next;
      point(next, event.shiftKey);
    } else if (event.key === 'Enter' && at !== null && onBrush) {
      choose();
    } else if (event.key === 'Escape' && at !== null) {
      leave();
    }
  }

  return { element, draw };
}
