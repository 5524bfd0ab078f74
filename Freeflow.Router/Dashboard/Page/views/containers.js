import { card } from '../parts/card.js';
import { addressesOf, bitRate, bytes, rate, visible } from '../parts/format.js';
import { Table } from '../parts/table.js';

const nameOf = (container) => addressesOf(container) || container.Id;
const interfaces = (container) => [...new Set(container.Addresses.map((address) => visible(address.Interface)))].join(', ');

/** What a container's QPs and flows do together. */
function ratesOf(store) {
  const rates = new Map();
  const add = (container, key, value) => {
    const sum = rates.get(container) ?? { sends: 0, receives: 0, sent: 0, received: 0 };
    sum[key] += value ?? 0;
    rates.set(container, sum);
  };
  for (const row of store.rows('qps').values()) {
    add(row.QueuePair.Container, 'sends', row.SendsRate);
    add(row.QueuePair.Container, 'receives', row.ReceivesRate);
  }
  for (const row of store.rows('flows').values()) {
    add(row.Flow.Container, 'sent', row.SentRate);
    add(row.Flow.Container, 'received', row.ReceivedRate);
  }
  return rates;
}

export const containers = {
  path: 'containers', title: 'Containers', counts: 'containers',
  mount(main, store) {
    let rates = new Map();
    const of = (container, key) => rates.get(container.Id)?.[key] ?? 0;
    const table = new Table({
      caption: 'Containers of this host',
      empty: 'No container of this host uses Freeflow now. One is listed from its first program with LD_PRELOAD=/freeflow/libfsocket.so on.',
      select: () => update(),
      columns: [
        { title: 'Address', kind: 'mono', value: nameOf, cell: (container) => ({ text: nameOf(container), title: container.Addresses.map((address) => address.Address).join(', ') }) },
        { title: 'Tenant', value: (container) => container.Tenant, cell: (container) => visible(container.Tenant) },
        { title: 'Interface', kind: 'name', value: interfaces },
        { title: 'QPs', kind: 'number', value: (container) => container.Objects.QueuePairs },
        { title: 'CQs', kind: 'number', value: (container) => container.Objects.CompletionQueues },
        { title: 'MRs', kind: 'number', value: (container) => container.Objects.MemoryRegions },
        { title: 'Registered', kind: 'number', value: (container) => container.Objects.RegisteredBytes, cell: (container) => bytes(container.Objects.RegisteredBytes) },
        { title: 'Sends', kind: 'number', value: (container) => of(container, 'sends'), cell: (container) => rate(of(container, 'sends')) },
        { title: 'Receives', kind: 'number', value: (container) => of(container, 'receives'), cell: (container) => rate(of(container, 'receives')) },
        { title: 'TCP out', kind: 'number', value: (container) => of(container, 'sent'), cell: (container) => bitRate(of(container, 'sent')) },
        { title: 'TCP in', kind: 'number', value: (container) => of(container, 'received'), cell: (container) => bitRate(of(container, 'received')) },
        { title: 'Listeners', kind: 'number', value: (container) => container.Listeners },
        {
          title: 'TCP mode', value: (container) => (container.IsPrivileged ? 'off' : 'on'),
          cell: (container) => (container.IsPrivileged
            ? { text: 'off: privileged', tone: 'warn', title: 'It could change the host’s network with a host socket, so that it gets none' } : { text: 'on', tone: 'good' }),
        },
      ],
    });
    const processes = new Table({
      caption: 'Processes of the containers',
      empty: 'No process has anything open.',
      columns: [
        { title: 'Process', kind: 'name', value: (process) => visible(process.Name), cell: (process) => (process.Name ? visible(process.Name) : 'not seen by the router') },
        { title: 'PID', kind: 'number', value: (process) => process.Pid, cell: (process) => (process.Pid > 0 ? process.Pid : '–') },
        { title: 'Container', kind: 'mono', value: (process) => process.container },
        { title: 'Has open', value: (process) => process.Kind },
        { title: 'PDs', kind: 'number', value: (process) => process.Objects.ProtectionDomains },
        { title: 'QPs', kind: 'number', value: (process) => process.Objects.QueuePairs },
        { title: 'CQs', kind: 'number', value: (process) => process.Objects.CompletionQueues },
        { title: 'SRQs', kind: 'number', value: (process) => process.Objects.SharedReceiveQueues },
        { title: 'MRs', kind: 'number', value: (process) => process.Objects.MemoryRegions },
        { title: 'MWs', kind: 'number', value: (process) => process.Objects.MemoryWindows },
        { title: 'Registered', kind: 'number', value: (process) => process.Objects.RegisteredBytes, cell: (process) => bytes(process.Objects.RegisteredBytes) },
      ],
    });
    main.append(
      card('Containers of this host', table.element, [table.filterField('Filter containers')]),
      card('Their processes', processes.element, [processes.filterField('Filter processes')]));
    function update() {
      rates = ratesOf(store);
      table.update(store.rows('containers'), store.total('containers'), store.problem('containers'));
      const shown = new Map();
      for (const [id, container] of store.rows('containers')) {
        if (table.selected && table.selected !== id) continue;
        container.Processes.forEach((process, index) => shown.set(`${id} ${index}`, { ...process, container: nameOf(container) }));
      }
      processes.update(shown);
    }
    return { update };
  },
};
