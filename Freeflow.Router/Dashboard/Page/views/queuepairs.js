import { card } from '../parts/card.js';
import { Chart } from '../parts/chart.js';
import { h } from '../parts/dom.js';
import { count, nodeHost, rate, visible } from '../parts/format.js';
import { Table } from '../parts/table.js';

const TONES = { RTS: 'good', RTR: 'good', ERR: 'bad', SQE: 'bad', SQD: 'warn' };

export const queuePairs = {
  path: 'qps', title: 'Queue pairs', counts: 'qps',
  mount(main, store) {
    const detail = h('div', { hidden: true });
    let chart = null;
    const table = new Table({
      caption: 'Queue pairs of this host’s containers',
      empty: 'No container of this host has a QP. ibv_rc_pingpong or ib_send_bw in one of them makes one.',
      select: (key) => show(key),
      columns: [
        { title: 'QPN', kind: 'mono', value: (row) => row.QueuePair.Number },
        { title: 'Type', value: (row) => row.QueuePair.Type },
        { title: 'State', value: (row) => row.QueuePair.State, cell: (row) => ({ text: row.QueuePair.State, tone: TONES[row.QueuePair.State] ?? 'quiet' }) },
        { title: 'Container', kind: 'mono', value: (row) => row.Address },
        { title: 'Process', kind: 'name', value: (row) => visible(store.processOf(row.QueuePair.Container, row.QueuePair.Pid)) || (row.QueuePair.Pid > 0 ? `pid ${row.QueuePair.Pid}` : null) },
        { title: 'Peer', kind: 'mono', value: (row) => row.QueuePair.Peer },
        { title: 'Peer QPN', kind: 'number', value: (row) => row.QueuePair.PeerNumber },
        { title: 'Peer router', kind: 'mono', value: (row) => nodeHost(row.QueuePair.Router) },
        { title: 'Sends', kind: 'number', value: (row) => row.SendsRate, cell: (row) => rate(row.SendsRate) },
        { title: 'Receives', kind: 'number', value: (row) => row.ReceivesRate, cell: (row) => rate(row.ReceivesRate) },
        { title: 'Pending', kind: 'number', value: (row) => row.QueuePair.Pending, cell: (row) => count(row.QueuePair.Pending) },
        { title: 'Tenant', value: (row) => row.Tenant, cell: (row) => visible(row.Tenant) },
      ],
    });
    function show(key) {
      chart?.end();
      chart = key === null ? null : new Chart({ title: `QP ${key}`, series: ['sends', 'receives'], format: rate, points: () => store.points('qps', key) });
      detail.hidden = !chart;
      detail.replaceChildren(...(chart ? [chart.element] : []));
      chart?.update();
    }
    main.append(card('Queue pairs of this host’s containers', table.element, [table.filterField('Filter QPs')]), detail);
    return {
      update() {
        table.update(store.rows('qps'), store.total('qps'), store.problem('qps'));
        chart?.update();
      },
      end: () => chart?.end(),
    };
  },
};
