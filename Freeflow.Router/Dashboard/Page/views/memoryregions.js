import { card } from '../parts/card.js';
import { bytes, visible } from '../parts/format.js';
import { Table } from '../parts/table.js';

export const memoryRegions = {
  path: 'mrs', title: 'Memory regions', counts: 'mrs',
  mount(main, store) {
    const table = new Table({
      caption: 'Memory regions of this host’s containers',
      empty: 'No container of this host has registered memory. ibv_rc_pingpong or ib_write_bw in one of them does.',
      columns: [
        { title: 'Key', kind: 'mono', value: (row) => row.MemoryRegion.Key, cell: (row) => `0x${row.MemoryRegion.Key.toString(16)}` },
        { title: 'Length', kind: 'number', value: (row) => row.MemoryRegion.Length, cell: (row) => bytes(row.MemoryRegion.Length) },
        { title: 'Access', value: (row) => row.MemoryRegion.Access || 'local reads alone' },
        { title: 'Container', kind: 'mono', value: (row) => row.Address },
        { title: 'Process', kind: 'name', value: (row) => visible(store.processOf(row.MemoryRegion.Container, row.MemoryRegion.Pid)) || (row.MemoryRegion.Pid > 0 ? `pid ${row.MemoryRegion.Pid}` : null) },
        { title: 'Start', kind: 'mono', value: (row) => row.MemoryRegion.Start },
        { title: 'Tenant', value: (row) => row.Tenant, cell: (row) => visible(row.Tenant) },
      ],
    });
    main.append(card('Memory regions of this host’s containers', table.element, [table.filterField('Filter MRs')]));
    return { update: () => table.update(store.rows('mrs'), store.total('mrs'), store.problem('mrs')) };
  },
};
