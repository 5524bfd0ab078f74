import { memberState } from '../live/changes.js';
import { card } from '../parts/card.js';
import { h } from '../parts/dom.js';
import { Table } from '../parts/table.js';
import { Trust } from '../parts/trust.js';

const linkState = (text) => ({ text, tone: text === 'up' ? 'good' : text === 'own' || text === 'none' ? 'quiet' : 'bad' });

export function memberTable() {
  return new Table({
    caption: 'The routers of the cluster, as this one sees them',
    empty: 'The router has not said yet who is a member.',
    sort: { column: 2, descending: false },
    columns: [
      { title: 'Router', kind: 'mono', value: (member) => member.Address, cell: (member) => member.Address + (member.IsOwn ? ' (this one)' : '') },
      { title: 'State', value: (member) => memberState(member).text, cell: memberState },
      { title: 'Age', kind: 'number', value: (member) => member.Age },
      { title: 'Data link', value: (member) => member.DataLink, cell: (member) => linkState(member.DataLink) },
      { title: 'TCP-mode link', value: (member) => member.HandoverLink, cell: (member) => linkState(member.HandoverLink) },
    ],
  });
}

export const members = {
  path: 'members', title: 'Members', counts: 'members',
  mount(main, store) {
    const table = memberTable();
    const trust = new Trust();
    main.append(card('Routers of the cluster', h('div', {}, table.element, trust.element)));
    return {
      update() {
        table.update(store.rows('members'), store.total('members'), store.problem('members'));
        trust.update(store.router);
      },
    };
  },
};
