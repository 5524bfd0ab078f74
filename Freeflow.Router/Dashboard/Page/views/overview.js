import { card } from '../parts/card.js';
import { Chart } from '../parts/chart.js';
import { h, setText } from '../parts/dom.js';
import { bitRate, bytes, clock, count, rate } from '../parts/format.js';
import { Trust } from '../parts/trust.js';
import { severityOf, textOf } from './events.js';
import { memberTable } from './members.js';

const MOST_EVENTS = 30;

const CHARTS = [
  { title: 'Data links to other routers', series: ['sent', 'received'], format: bitRate, of: (sample) => [sample.LinkSent, sample.LinkReceived] },
  { title: 'RDMA within this host', series: ['payload'], format: bitRate, of: (sample) => [sample.Local] },
  { title: 'Work requests', series: ['taken', 'completions'], format: rate, of: (sample) => [sample.WorkRequests, sample.Completions] },
  { title: 'Accelerated TCP connections', series: ['begun', 'delivered'], format: rate, of: (sample) => [sample.TcpBegun, sample.TcpDelivered] },
  { title: 'Trouble on the way', series: ['RNR NAKs', 'resent', 'dropped'], format: rate, of: (sample) => [sample.RnrNaks, sample.Retries, sample.Dropped] },
];

const FIGURES = [
  ['Routers up', (store) => {
    const members = [...store.rows('members').values()];
    return [count(members.filter((member) => member.Reachable && member.Status === 'Up').length), `of ${count(members.length)}`];
  }],
  ['Containers', (store) => [count(store.total('containers'))]],
  ['QPs', (store) => [count(store.total('qps'))]],
  ['Memory regions', (store) => {
    const objects = [...store.rows('containers').values()].map((container) => container.Objects);
    return [count(objects.reduce((sum, each) => sum + each.MemoryRegions, 0)), bytes(objects.reduce((sum, each) => sum + each.RegisteredBytes, 0))];
  }],
  ['TCP flows', (store) => [count(store.total('flows'))]],
  ['Plain destinations', (store) => [count(store.total('plain'))]],
];

export const overview = {
  path: '', title: 'Overview',
  mount(main, store) {
    const figures = FIGURES.map(([title, of]) => ({ of, value: h('span'), more: h('small'), title }));
    const charts = CHARTS.map(({ of, ...chart }) => new Chart({ ...chart, points: () => store.samples.map((sample) => [sample.At, ...of(sample)]) }));
    const members = memberTable();
    const trust = new Trust();
    const log = h('ol', { class: 'log', tabindex: '0', 'aria-label': 'The newest events' });
    const quiet = h('p', { class: 'empty' }, 'Nothing has happened since the router’s start.');
    const all = h('a', { href: '#/events' }, 'All');
    main.append(
      h('dl', { class: 'card figures' }, ...figures.map(({ title, value, more }) => h('div', {}, h('dt', {}, title), h('dd', {}, value, ' ', more)))),
      h('div', { class: 'charts' }, ...charts.map((chart) => chart.element), card('Events', h('div', {}, log, quiet), [all])),
      card('Routers of the cluster', h('div', {}, members.element, trust.element)));
    let logged;
    return {
      update() {
        for (const { of, value, more } of figures) {
          const [text, small = ''] = of(store);
          setText(value, text);
          setText(more, small);
        }
        for (const chart of charts) chart.update();
        members.update(store.rows('members'), store.total('members'), store.problem('members'));
        trust.update(store.router);
        const happened = [...store.rows('events').values()].filter((each) => each.Severity !== 'debug').sort((one, other) => other.Number - one.Number).slice(0, MOST_EVENTS);
        if (happened[0]?.Number !== logged) {
          logged = happened[0]?.Number;
          log.replaceChildren(...happened.map((each) => h('li', {}, h('time', { class: 'mono' }, clock(each.Time)),
            h('span', { class: 'tone', 'data-tone': severityOf(each).tone }, textOf(each)))));
        }
        log.hidden = happened.length === 0;
        quiet.hidden = !log.hidden;
      },
      end() {
        for (const chart of charts) chart.end();
      },
    };
  },
};
