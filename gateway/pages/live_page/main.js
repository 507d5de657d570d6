// The page put together: the address says what is looked at, streams say what is so, panels show it.

import { makeAccountBoard, makeNetworkBoard } from './boards.js';
import { makeControls } from './controls.js';
import { makeCredential } from './credential.js';
import { fill, h } from './dom.js';
import { makeStatus } from './status.js';
import { listen } from './stream.js';
import { range } from './times.js';
import { read, write } from './view.js';
import { DEFAULT, between, interval, nameOf } from './windows.js';

const HIDDEN_MS = 20_000;
const at = (id) => document.getElementById(id);
const [main, banner, said] = [at('main'), at('banner'), at('said')];

let view = read(location.hash);
let before = DEFAULT;
let stops = [];
let board = null;
const states = new Map();
let stale = '';
let hiding = 0;
let whose = '';
let shown = '';

const credential = makeCredential(at('credential'), at('credential-dialog'), () => {
  status.again();
  whose = '';
  start();
});
const status = makeStatus(
  at('pipeline'),
  credential.headers,
  (error) => credential.open(error.message),
  () => board?.panels.forEach((panel) => panel.redraw()),
);
const controls = makeControls(at('controls'), change);
const linkTo = (changed) => write({ ...view, ...changed });
const shared = { linkTo, headers: credential.headers, viewNow: () => view, onBrush: (from, to) => change({ window: between(from, to), grain: '' }) };
const boards = { account: makeAccountBoard(shared), network: makeNetworkBoard(shared) };

/** Another view: a new entry in the browser's history, so that its Back button leads to this one. */
function change(changed) {
  const { zoomOut, ...rest } = changed;
  if (zoomOut) rest.window = before;
  if (zoomOut) rest.grain = '';
  if (rest.window && interval(rest.window) && !interval(view.window)) before = view.window;
  history.pushState(null, '', write({ ...view, ...rest }));
  show();
}

function show() {
  view = read(location.hash);
  const address = write(view);
  if (location.hash !== address) history.replaceState(null, '', address);
  shown = location.hash;
  controls.show(view);
  at('to-account').href = write({ ...view, page: 'account' });
  at('to-network').href = write({ ...view, page: 'network' });
  for (const page of ['account', 'network']) {
    if (page === view.page) at(`to-${page}`).setAttribute('aria-current', 'page');
    else at(`to-${page}`).removeAttribute('aria-current');
  }
  const what = view.page === 'network' ? 'Network' : view.account || 'Account';
  const when = nameOf(view.window) ?? range(...interval(view.window), view.zone);
  document.title = `${what} · ${when} · Payment analytics`;
  said.textContent = `${what}, ${when}, ${view.zone}`;
  const next = boards[view.page];
  if (next !== board) {
    board = next;
    main.className = `board ${board.name}`;
  }
  start();
}

function start() {
  stop();
  states.clear();
  stale = '';
  if (view.page === 'account' && !view.account) return welcome();
  if (!main.contains(board.panels[0].element)) fill(main, board.panels.map((panel) => panel.element));
  // Nobody's figures stand under another's name, not for a moment.
  const asked = JSON.stringify([view.page, view.account, view.counterparty]);
  for (const panel of board.panels) panel.begin(asked === whose);
  whose = asked;
  stops = board.streams(view).map(({ document: name, variables, intervalMs, root }) =>
    listen(name, variables, {
      headers: credential.headers,
      intervalMs,
      told: (answer) => told(root, answer),
      state: (state, error) => {
        states.set(root, { state, error });
        if (state === 'refused') refused(root, error);
        tick();
      },
    }),
  );
}

function stop() {
  for (const each of stops) each();
  stops = [];
}

function told(root, { data, errors = [], extensions = {} }) {
  const part = data?.[root] ?? null;
  const errorAt = (field) => errors.find(({ path }) => !path || path.length < 2 || path[1] === field) ?? null;
  stale = extensions.cache?.status === 'STALE_IF_ERROR' ? extensions.cache.ageSeconds : '';
  const news = board.update(root, part, errorAt, view, extensions.changes ?? []);
  if (news) said.textContent = news;
  tick();
}

function refused(root, error) {
  if (error.status === 401 || error.code === 'UNAUTHENTICATED') credential.open(error.message);
  board.update(root, null, () => error, view, []);
}

function welcome() {
  const example = h('a', { href: linkTo({ account: 'acct-000001' }) }, 'acct-000001');
  fill(
    main,
    h(
      'section',
      { class: 'card welcome', 'aria-labelledby': 'welcome-title' },
      h('h2', { id: 'welcome-title' }, 'Whose payments?'),
      h('p', {}, 'Name an account above: who paid it and whom it paid, how much and when, exact to the last digit and seconds old.'),
      h('p', { id: 'sample', hidden: !status.isSample() }, 'This is sample data: ', example, ' is a busy account.'),
    ),
  );
  controls.account.focus();
}

/** Once a second, and whenever something changed: what is old, and what is out. */
function tick() {
  const live = [...states.values()].every(({ state }) => state === 'live');
  for (const panel of board?.panels ?? []) panel.tick(status.completeToMs(), live);
  at('sample')?.toggleAttribute('hidden', !status.isSample());
  const waiting = [...states.values()].find(({ state }) => state === 'waiting');
  let text = status.outage(view.zone);
  if (!text && waiting?.error?.code) text = `${waiting.error.message} It is asked for again.`;
  if (!text && stale !== '') text = `The store is out: an answer of ${stale} seconds ago stands in.`;
  if (!text && status.stalled()) text = 'The pipeline is over a minute behind, more than is promised: recent payments are missing.';
  if (banner.textContent !== text) banner.textContent = text;
  document.body.classList.toggle('out', Boolean(status.outage(view.zone)));
}

// A link within the page is told as both.
for (const moved of ['hashchange', 'popstate']) window.addEventListener(moved, () => location.hash !== shown && show());
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  // Who is not looked at costs nobody anything; whoever comes back gets a whole snapshot.
  if (document.hidden) hiding = setTimeout(stop, HIDDEN_MS);
  else if (stops.length === 0) start();
});
document.querySelector('[data-skip]').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
setInterval(tick, 1_000);
show();
