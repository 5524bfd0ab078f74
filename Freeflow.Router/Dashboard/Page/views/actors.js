import { card } from '../parts/card.js';
import { h, setText } from '../parts/dom.js';
import { addressesOf, count, visible } from '../parts/format.js';
import { Tree } from '../parts/tree.js';

const KINDS = {
  QueuePair: 'QP', CompletionQueue: 'CQ', MemoryRegion: 'MR', MemoryWindow: 'MW', SharedReceiveQueue: 'SRQ', CommunicationId: 'rdma_cm id', ConnectionManager: 'rdma_cm',
};
const TONES = { RTS: 'good', RTR: 'good', registered: 'good', serving: 'good', ERR: 'bad', SQE: 'bad', SQD: 'warn', strayed: 'bad' };
const MAILBOX_OF_NOTE = 100;

/** What an actor stands for, in words that say more than its name. */
function aboutOf(store) {
  const containers = [...store.rows('containers').values()];
  return (path, row) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (row.Kind === 'Container') {
      const container = containers.find((candidate) => name.startsWith(`${candidate.Id}-`));
      return container ? addressesOf(container) : '';
    }
    if (row.Kind === 'Connection') {
      const pid = Number(name.slice(0, name.indexOf('-')));
      const process = pid > 0 ? containers.flatMap((container) => container.Processes).find((candidate) => candidate.Pid === pid) : null;
      return process?.Name ? visible(process.Name) : '';
    }
    if (row.Kind === 'QueuePair') {
      const pair = store.rows('qps').get(String(parseInt(name.slice(3), 16)))?.QueuePair;
      return pair ? `QP ${pair.Number}${pair.Peer ? ` to ${pair.Peer} QP ${pair.PeerNumber}` : ''}` : '';
    }
    return '';
  };
}

export const actors = {
  path: 'actors', title: 'Actors', counts: 'actors', wants: 'actors',
  mount(main, store) {
    let about = () => '';
    const tree = new Tree({
      label: 'The router’s actors',
      about: (path, row) => about(path, row),
      open: ['router', 'router/containers'],
      columns: [
        { title: 'Kind', cell: (row) => KINDS[row.Kind] ?? row.Kind.replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) },
        { title: 'State', cell: (row) => (row.State ? { text: row.State, tone: TONES[row.State] ?? 'quiet' } : '') },
        { title: 'Mailbox', kind: 'number', cell: (row) => (row.Mailbox > MAILBOX_OF_NOTE ? { text: count(row.Mailbox), tone: 'warn' } : count(row.Mailbox)) },
        { title: 'Restarts', kind: 'number', cell: (row) => (row.Restarts > 0 ? { text: count(row.Restarts), tone: 'warn' } : '0') },
        { title: 'Below', kind: 'number', cell: (_, path) => (tree.below(path) > 0 ? count(tree.below(path)) : '') },
      ],
    });
    const note = h('p', { class: 'note' });
    main.append(card('Actors of this router', h('div', {}, tree.element, note), [tree.filterField('Filter actors')]));
    return {
      update() {
        about = aboutOf(store);
        const rows = store.rows('actors');
        tree.update(rows);
        const missing = store.total('actors') - rows.size;
        setText(note, `${count(store.total('actors'))} actors${missing > 0 ? `, of which the router sends ${count(rows.size)}, those near the top first` : ''}. Arrow keys go through the tree and open it.`);
      },
    };
  },
};
