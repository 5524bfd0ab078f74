import { card } from '../parts/card.js';
import { count, dateAndClock, visible } from '../parts/format.js';
import { Table } from '../parts/table.js';

const TONES = { warning: 'warn', error: 'bad' };

export const severityOf = (happened) => ({ text: happened.Severity, tone: TONES[happened.Severity] ?? 'quiet' });

/** What an event says; containers may have had a say in it. */
export const textOf = (happened) => visible(happened.Text) + (happened.Unrecorded > 0 ? ` (${count(happened.Unrecorded)} such events before it came too thick to be kept)` : '');

export const events = {
  path: 'events', title: 'Events',
  mount(main, store) {
    const table = new Table({
      caption: 'What has happened at this router of late',
      empty: 'Nothing has happened at this router since its start.',
      sort: { column: 0, descending: true },
      columns: [
        { title: 'Time', kind: 'mono', value: (happened) => happened.Number, cell: (happened) => dateAndClock(happened.Time) },
        { title: 'Severity', value: (happened) => happened.Severity, cell: severityOf },
        { title: 'Event', kind: 'mono', value: (happened) => happened.Name },
        { title: 'What', kind: 'long', value: textOf },
      ],
    });
    main.append(card('Events of this router', table.element, [table.filterField('Filter events')]));
    return { update: () => table.update(store.rows('events'), store.total('events'), store.problem('events')) };
  },
};
