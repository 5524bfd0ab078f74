import { follow, keepToken } from './live/stream.js';
import { Store } from './live/store.js';
import { h, set, setText } from './parts/dom.js';
import { clock, count, visible } from './parts/format.js';
import { actors } from './views/actors.js';
import { containers } from './views/containers.js';
import { conversations } from './views/conversations.js';
import { events } from './views/events.js';
import { explain } from './views/explain.js';
import { flows } from './views/flows.js';
import { members } from './views/members.js';
import { memoryRegions } from './views/memoryregions.js';
import { overview } from './views/overview.js';
import { queuePairs } from './views/queuepairs.js';

const VIEWS = [overview, members, containers, queuePairs, memoryRegions, flows, conversations, actors, events, explain];
const THEME = 'freeflow-theme';

const store = new Store();
const byId = (id) => document.getElementById(id);
const main = byId('main');
const links = new Map();
let view = null;
let shown = null;
let stream = null;
let lastHeard = null;

function navigate({ focus }) {
  const path = location.hash.replace(/^#\/?/, '');
  const next = VIEWS.find((candidate) => candidate.path === path) ?? overview;
  if (next === view) return;
  shown?.end?.();
  const wanted = view?.wants;
  view = next;
  main.replaceChildren(h('div', { class: 'head' }, h('h1', { id: 'title' }, view.title)));
  shown = view.mount(main, store);
  for (const [candidate, link] of links) set(link, 'aria-current', candidate === view ? 'page' : null);
  document.title = view === overview ? 'Freeflow' : `${view.title} – Freeflow`;
  shown.update(new Map());
  if (focus) main.focus();
  if (!stream || wanted !== view.wants) listen();
}

/** The stream has what the view needs: actors only while they are looked at. */
function listen() {
  stream?.abort();
  stream = new AbortController();
  follow(view.wants === 'actors' ? '/api/stream?actors=true' : '/api/stream', { tick: (message) => store.take(message), state: showState, stop: stream.signal });
}

function showState(state, problem) {
  if (state === 'live') lastHeard = Date.now();
  const words = state === 'live' ? 'Live' : state === 'refused' ? visible(problem.message)
    : lastHeard ? `No answer since ${clock(lastHeard)}; trying again` : 'No answer yet; trying again';
  setText(byId('link'), words);
  set(byId('link'), 'data-tone', state === 'live' ? 'good' : state === 'refused' ? 'bad' : 'warn');
  main.classList.toggle('stale', state !== 'live');
  if (state === 'refused' && problem.status === 401) askForToken(problem);
}

function askForToken(problem) {
  setText(byId('token-problem'), sessionStorage.getItem('freeflow-token') ? visible(problem.message) : '');
  if (!byId('token-dialog').open) byId('token-dialog').showModal();
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(byId('token').value.trim());
  byId('token').value = '';
  byId('token-dialog').close();
  listen();
});

function showTheme(theme) {
  set(document.documentElement, 'data-theme', theme || null);
  byId('theme').value = theme;
  dispatchEvent(new Event('themechange'));
}

byId('theme').addEventListener('change', (event) => {
  localStorage.setItem(THEME, event.target.value);
  showTheme(event.target.value);
});

store.listen((changed) => {
  setText(byId('router-name'), store.router?.Name ?? '');
  setText(byId('router-address'), store.router?.Address ?? '');
  for (const [candidate, link] of links) {
    if (candidate.counts && store.has(candidate.counts)) setText(link.lastChild, count(store.total(candidate.counts)));
  }
  const loud = [...changed.values()].flat();
  if (loud.length > 0) setText(byId('announcer'), loud.join('. '));
  shown?.update(changed);
});

for (const candidate of VIEWS) {
  const link = h('a', { href: `#/${candidate.path}` }, candidate.title, h('span', { class: 'count' }));
  links.set(candidate, link);
  byId('views').append(h('li', {}, link));
}
showTheme(localStorage.getItem(THEME) ?? '');
addEventListener('hashchange', () => navigate({ focus: true }));
navigate({ focus: false });
