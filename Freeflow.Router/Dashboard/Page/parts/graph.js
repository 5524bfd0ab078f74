import { h, s } from './dom.js';

const [WIDTH, NODE_WIDTH, NODE_HEIGHT, GAP, TOP] = [860, 150, 22, 8, 30];
const MOST_NODES = 60;

/**
 * Who talks to whom, drawn: this host's containers on the left, the other hosts' on the right, by router. It shows no more than the table
 * beside it, so a reader of the page is not told of it twice.
 *
 * @param talks { from, to, router, rdma, tcp, weight, isOwn } with `weight` from 0 (idle) to 1.
 */
export class Graph {
  element = h('div', { class: 'graph', 'aria-hidden': 'true' });
  #last = '';

  update(talks, ownName) {
    const picture = JSON.stringify([talks, ownName]);
    if (picture === this.#last) return;
    this.#last = picture;
    const own = [...new Set(talks.flatMap((talk) => (talk.isOwn ? [talk.from, talk.to] : [talk.from])))].sort().slice(0, MOST_NODES);
    const groups = new Map();
    for (const talk of talks.filter((candidate) => !candidate.isOwn)) {
      const group = groups.get(talk.router ?? '') ?? new Set();
      groups.set(talk.router ?? '', group.add(talk.to));
    }
    const left = column([[`this host, ${ownName}`, own]], 150);
    const right = column([...groups].sort().map(([router, names]) => [router ? `router ${router}` : 'router not known', [...names].sort().slice(0, MOST_NODES)]), WIDTH - NODE_WIDTH - 20);
    const height = Math.max(left.height, right.height) + 12;
    const svg = s('svg', { viewBox: `0 0 ${WIDTH} ${height}`, height });
    svg.style.maxHeight = `${height * 1.4}px`;
    for (const talk of talks) svg.append(...edges(talk, left.places, right.places));
    svg.append(...left.elements, ...right.elements);
    this.element.replaceChildren(svg);
  }
}

function column(groups, x) {
  const places = new Map();
  const elements = [];
  let y = TOP;
  for (const [title, names] of groups) {
    const top = y - 22;
    elements.push(s('text', { x: x - 8, y: y - 8, class: 'group-name' }, title));
    for (const name of names) {
      places.set(name, { x, y: y + NODE_HEIGHT / 2 });
      elements.push(s('rect', { x, y, width: NODE_WIDTH, height: NODE_HEIGHT, rx: 4, class: 'node' }), s('text', { x: x + 10, y: y + 15 }, name));
      y += NODE_HEIGHT + GAP;
    }
    elements.unshift(s('rect', { x: x - 14, y: top, width: NODE_WIDTH + 28, height: y - top + 2, rx: 7, class: 'group' }));
    y += 36;
  }
  return { places, elements, height: y - 30 };
}

function edges(talk, left, right) {
  const from = left.get(talk.from);
  const to = talk.isOwn ? left.get(talk.to) : right.get(talk.to);
  if (!from || !to) return [];
  const kinds = [['rdma', talk.rdma], ['tcp', talk.tcp]].filter(([, there]) => there).map(([kind]) => kind);
  return kinds.map((kind, index) => {
    const shift = (index - (kinds.length - 1) / 2) * 6;
    const [y1, y2] = [from.y + shift, to.y + shift];
    const bend = talk.isOwn ? 60 + Math.min(60, Math.abs(y2 - y1) / 3) : 170;
    const path = talk.isOwn
      ? `M${from.x},${y1} C${from.x - bend},${y1} ${from.x - bend},${y2} ${to.x},${y2}`
      : `M${from.x + NODE_WIDTH},${y1} C${from.x + NODE_WIDTH + bend},${y1} ${to.x - bend},${y2} ${to.x},${y2}`;
    return s('path', { d: path, class: `edge ${kind}${talk.weight > 0 ? '' : ' idle'}`, 'stroke-width': (1.2 + talk.weight * 4.8).toFixed(1) });
  });
}
