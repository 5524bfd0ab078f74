import { ask } from '../live/stream.js';
import { card } from '../parts/card.js';
import { h } from '../parts/dom.js';
import { visible } from '../parts/format.js';

const step = ({ What, Holds, Detail }) => h('li', {}, h('span', { class: 'tone', 'data-tone': Holds ? 'good' : 'bad' }, Holds ? 'yes' : 'NO'),
  h('span', {}, visible(What), Detail ? h('span', { class: 'detail' }, ` (${visible(Detail)})`) : null));

const steps = (list) => h('ol', { class: 'steps' }, ...list.map(step));

function verdict(answer) {
  const both = answer.Both.every((each) => each.Holds);
  return [
    card('For either', steps(answer.Both)),
    ...(both
      ? [
        card(`TCP: ${answer.Tcp.Accelerated ? 'accelerated' : 'not accelerated'}${answer.Port ? ` to port ${answer.Port}` : ''}`, steps(answer.Tcp.Steps)),
        card(`RDMA: ${answer.Rdma.Accelerated ? 'possible' : 'not possible'}`, steps(answer.Rdma.Steps)),
      ]
      : []),
  ];
}

export const explain = {
  path: 'explain', title: 'Why is it plain?',
  mount(main, store) {
    const known = h('datalist', { id: 'known-addresses' });
    const source = h('input', { name: 'Source', list: 'known-addresses', required: true, autocomplete: 'off', spellcheck: 'false' });
    const destination = h('input', { name: 'Destination', list: 'known-addresses', required: true, autocomplete: 'off', spellcheck: 'false' });
    const port = h('input', { name: 'Port', class: 'short', inputmode: 'numeric', pattern: '[0-9]{1,5}', placeholder: 'any', autocomplete: 'off' });
    const result = h('div', { role: 'status', class: 'two' });
    const hint = h('p', { class: 'empty' }, 'Each step is what the router would look at for a new connection, up to the first that does not hold. The source is a container of this host. '
      + 'What a program decides by itself (VNET_PREFIX, its socket’s options) no router knows; FREEFLOW_LOG=debug tells it there.');
    async function submit(event) {
      event.preventDefault();
      const query = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value.trim()).map(([key, value]) => [key, value.trim()]));
      try {
        const answer = await (await ask(`/api/explain?${query}`)).json();
        result.replaceChildren(...verdict(answer));
      } catch (problem) {
        result.replaceChildren(h('p', { class: 'problem' }, visible(problem.message)));
      }
    }
    main.append(card('Would a connection be accelerated, and if not, why?', h('div', {},
      h('form', { class: 'ask', onsubmit: submit },
        h('label', {}, 'From (container of this host)', source), h('label', {}, 'To', destination), h('label', {}, 'Port', port), h('button', { type: 'submit' }, 'Explain')),
      known, hint)), result);
    let offered = '';
    return {
      update() {
        const addresses = [...new Set([...store.ownAddresses(), ...[...store.rows('qps').values()].map((row) => row.QueuePair.Peer).filter(Boolean)])].sort();
        if (addresses.join() === offered) return;
        offered = addresses.join();
        known.replaceChildren(...addresses.map((address) => h('option', { value: address })));
      },
    };
  },
};
