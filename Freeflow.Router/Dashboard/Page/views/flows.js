import { card } from '../parts/card.js';
import { Chart } from '../parts/chart.js';
import { h } from '../parts/dom.js';
import { age, bitRate, bytes, count, hostOf, visible } from '../parts/format.js';
import { Table } from '../parts/table.js';

export const flows = {
  path: 'flows', title: 'TCP flows', counts: 'flows',
  mount(main, store) {
    const detail = h('div', { hidden: true });
    let chart = null;
    const table = new Table({
      caption: 'Accelerated TCP connections that containers of this host have begun',
      empty: 'No accelerated connection of a container of this host lives now. Those that came from other hosts are on their pages.',
      select: (key) => show(key),
      columns: [
        { title: 'From', kind: 'mono', value: (row) => row.Flow.Local },
        { title: 'To', kind: 'mono', value: (row) => row.Flow.Peer },
        { title: 'Router', kind: 'mono', value: (row) => hostOf(row.Flow.Router) },
        { title: 'Sent now', kind: 'number', value: (row) => row.SentRate, cell: (row) => bitRate(row.SentRate) },
        { title: 'Received now', kind: 'number', value: (row) => row.ReceivedRate, cell: (row) => bitRate(row.ReceivedRate) },
        { title: 'Sent', kind: 'number', value: (row) => row.Flow.BytesSent, cell: (row) => bytes(row.Flow.BytesSent) },
        { title: 'Received', kind: 'number', value: (row) => row.Flow.BytesReceived, cell: (row) => bytes(row.Flow.BytesReceived) },
        { title: 'Age', kind: 'number', value: (row) => store.at - new Date(row.Flow.Since), cell: (row) => age(row.Flow.Since, store.at) },
        { title: 'Host port', kind: 'number', value: (row) => row.Flow.HostPort },
        { title: 'Socket', value: (row) => (row.Flow.HasStrayed ? 'has left its peer' : 'at its peer'), cell: (row) => (row.Flow.HasStrayed ? { text: 'has left its peer', tone: 'bad' } : { text: 'at its peer', tone: 'good' }) },
        { title: 'Tenant', value: (row) => row.Flow.Tenant, cell: (row) => visible(row.Flow.Tenant) },
      ],
    });
    const plain = new Table({
      caption: 'Destinations that connections reach over the overlay, and why',
      empty: 'Every destination that a running process has asked for is accelerated.',
      columns: [
        { title: 'Destination', kind: 'mono', value: (row) => row.Destination },
        { title: 'Asked by', kind: 'mono', value: (row) => store.addressOf(row.Container) || row.Container },
        { title: 'Why it is plain', kind: 'long', value: (row) => row.Why },
        { title: 'Processes', kind: 'number', value: (row) => row.Processes },
      ],
    });
    const reasons = new Table({
      caption: 'Plain connections since the router’s start, by reason',
      empty: 'No connection was plain since the router’s start.',
      sort: { column: 1, descending: true },
      columns: [
        { title: 'Reason', kind: 'long', value: (row) => row.Why },
        { title: 'Connections', kind: 'number', value: (row) => row.Connections, cell: (row) => count(row.Connections) },
      ],
    });
    function show(key) {
      chart?.end();
      const flow = key === null ? null : store.rows('flows').get(key)?.Flow;
      chart = flow ? new Chart({ title: `${flow.Local} to ${flow.Peer}`, series: ['sent', 'received'], format: bitRate, points: () => store.points('flows', key) }) : null;
      detail.hidden = !chart;
      detail.replaceChildren(...(chart ? [chart.element] : []));
      chart?.update();
    }
    main.append(
      card('Accelerated connections', table.element, [table.filterField('Filter flows')]), detail,
      h('div', { class: 'two' }, card('Plain now', plain.element), card('Plain since the start', reasons.element)));
    return {
      update() {
        table.update(store.rows('flows'), store.total('flows'), store.problem('flows'));
        plain.update(store.rows('plain'), store.total('plain'), store.problem('plain'));
        reasons.update(store.rows('reasons'));
        chart?.update();
      },
      end: () => chart?.end(),
    };
  },
};
