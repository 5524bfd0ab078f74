import { card } from '../parts/card.js';
import { h } from '../parts/dom.js';
import { bitRate, hostOf, nodeHost, rate } from '../parts/format.js';
import { Graph } from '../parts/graph.js';
import { Table } from '../parts/table.js';

const MOST_DRAWN = 80;

/** Pairs of containers with what goes between them; both within this host are one pair. */
function talksOf(store) {
  const own = store.ownAddresses();
  const talks = new Map();
  const at = (from, to, router) => {
    const isOwn = own.has(to);
    const key = isOwn && to < from ? `${to} ${from}` : `${from} ${to}`;
    const [one, other] = key.split(' ');
    if (!talks.has(key)) talks.set(key, { from: one, to: other, router, isOwn, qps: 0, flows: 0, messages: 0, sent: 0, received: 0 });
    return talks.get(key);
  };
  for (const { QueuePair: pair, SendsRate, ReceivesRate } of store.rows('qps').values()) {
    if (!pair.Peer) continue;
    const talk = at(pair.Local, pair.Peer, nodeHost(pair.Router));
    talk.qps++;
    talk.messages += Math.max(SendsRate ?? 0, ReceivesRate ?? 0);
  }
  for (const { Flow: flow, SentRate, ReceivedRate } of store.rows('flows').values()) {
    const talk = at(hostOf(flow.Local), hostOf(flow.Peer), hostOf(flow.Router));
    talk.flows++;
    talk.sent += SentRate ?? 0;
    talk.received += ReceivedRate ?? 0;
  }
  return talks;
}

/** 0 for what is idle, else by the order of magnitude: lines for 10 Mbit/s and 10 Gbit/s can both be seen. */
function weightOf(talk) {
  const [tcp, rdma] = [(Math.log10(1 + talk.sent + talk.received) - 3) / 7, Math.log10(1 + talk.messages) / 6];
  const busy = talk.sent + talk.received + talk.messages > 0;
  return busy ? Math.round(Math.max(0.1, Math.min(1, Math.max(tcp, rdma))) * 10) / 10 : 0;
}

export const conversations = {
  path: 'conversations', title: 'Who talks to whom',
  mount(main, store) {
    const graph = new Graph();
    const silence = h('p', { class: 'empty' }, 'No container of this host has a connected QP or an accelerated connection now.');
    const table = new Table({
      caption: 'Who talks to whom',
      empty: 'No one talks.',
      columns: [
        { title: 'One', kind: 'mono', value: (talk) => talk.from },
        { title: 'Other', kind: 'mono', value: (talk) => talk.to },
        { title: 'Other’s router', kind: 'mono', value: (talk) => (talk.isOwn ? 'this one' : talk.router) },
        { title: 'Connected QPs', kind: 'number', value: (talk) => talk.qps },
        { title: 'Messages', kind: 'number', value: (talk) => talk.messages, cell: (talk) => rate(talk.messages) },
        { title: 'TCP flows', kind: 'number', value: (talk) => talk.flows },
        { title: 'TCP sent', kind: 'number', value: (talk) => talk.sent, cell: (talk) => bitRate(talk.sent) },
        { title: 'TCP received', kind: 'number', value: (talk) => talk.received, cell: (talk) => bitRate(talk.received) },
      ],
    });
    const legend = h('p', { class: 'legend' }, h('span', { 'data-series': 0 }, 'RDMA'), h('span', { 'data-series': 1 }, 'accelerated TCP'));
    main.append(card('Containers of this host and their peers', h('div', {}, graph.element, silence), [legend]), card('The same as a table', table.element, [table.filterField('Filter pairs')]));
    return {
      update() {
        const talks = talksOf(store);
        const drawn = [...talks.values()].sort((one, other) => other.messages + other.sent + other.received - (one.messages + one.sent + one.received)).slice(0, MOST_DRAWN)
          .map((talk) => ({ from: talk.from, to: talk.to, router: talk.router, isOwn: talk.isOwn, rdma: talk.qps > 0, tcp: talk.flows > 0, weight: weightOf(talk) }))
          .sort((one, other) => (one.from + one.to < other.from + other.to ? -1 : 1));
        graph.element.hidden = drawn.length === 0;
        silence.hidden = drawn.length > 0;
        graph.update(drawn, store.router?.Address ?? '');
        table.update(talks);
      },
    };
  },
};
