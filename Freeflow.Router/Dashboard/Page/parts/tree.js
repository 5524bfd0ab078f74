import { h, set, setText } from './dom.js';

const ROW_HEIGHT = 26;
const BEYOND = 8;
const numeric = new Intl.Collator('en', { numeric: true }).compare;

/** mr-9 before mr-10; of names that are as long as each other letter by letter, since QPs' have their numbers in hexadecimal. */
const compare = (one, other) => (one.length !== other.length ? numeric(one, other) : one < other ? -1 : one > other ? 1 : 0);

/**
 * A tree of which only the rows in sight have elements, however many there are. Nodes are named by their path: a/b is below a.
 *
 * Columns: { title, kind?, cell(row) }, after the first, which has the node's name and what `about(path, row)` says of it.
 */
export class Tree {
  #rows = new Map();
  #children = new Map();
  #sorted = new Map();
  #open = new Set();
  #flat = [];
  #active = null;
  #filter = '';
  #columns;
  #about;
  #body = h('div', { class: 'rows', role: 'rowgroup' });
  #pool = [];
  #id = `tree-${Math.random().toString(36).slice(2)}`;

  constructor({ label, columns, about, open = [] }) {
    [this.#columns, this.#about, this.#open] = [columns, about, new Set(open)];
    const heading = h('div', { class: 'heading', role: 'row' },
      ...['Actor', ...columns.map((column) => column.title)].map((title, index) => h('span', { role: 'columnheader', class: columns[index - 1]?.kind ?? null }, title)));
    this.element = h('div', {
      class: 'tree', role: 'treegrid', tabindex: '0', 'aria-label': label, onscroll: () => this.#draw(), onkeydown: (event) => this.#key(event),
      onclick: (event) => this.#click(event),
    }, h('div', { role: 'rowgroup' }, heading), this.#body);
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  filterField(label) {
    return h('input', { type: 'search', placeholder: label, 'aria-label': label, oninput: (event) => this.#search(event.target.value) });
  }

  get shown() {
    return this.#flat.length;
  }

  update(rows) {
    const known = this.#rows;
    this.#rows = new Map(rows);
    for (const path of known.keys()) {
      if (!rows.has(path)) this.#unlink(path);
    }
    for (const path of rows.keys()) {
      if (!known.has(path)) this.#link(path);
    }
    this.#layOut();
  }

  /** How many nodes are right below one. */
  below(path) {
    return this.#children.get(path)?.size ?? 0;
  }

  #link(path) {
    const parent = parentOf(path);
    const siblings = this.#children.get(parent) ?? new Set();
    if (siblings.size === 0) this.#children.set(parent, siblings);
    siblings.add(path);
    this.#sorted.delete(parent);
  }

  #unlink(path) {
    const parent = parentOf(path);
    this.#children.get(parent)?.delete(path);
    this.#sorted.delete(parent);
    this.#open.delete(path);
    if (this.#active === path) this.#active = this.#rows.has(parent) ? parent : null;
  }

  #childrenOf(path) {
    let sorted = this.#sorted.get(path);
    if (!sorted) this.#sorted.set(path, (sorted = [...(this.#children.get(path) ?? [])].sort(compare)));
    return sorted;
  }

  #search(text) {
    this.#filter = text.trim().toLowerCase();
    this.element.scrollTop = 0;
    this.#layOut();
  }

  /** With a filter: what matches, and what it is below. */
  #wanted() {
    if (!this.#filter) return null;
    const wanted = new Set();
    for (const [path, row] of this.#rows) {
      const text = `${path} ${row.Kind} ${row.State ?? ''} ${this.#about(path, row)}`.toLowerCase();
      if (!text.includes(this.#filter)) continue;
      for (let at = path; at && !wanted.has(at); at = parentOf(at)) wanted.add(at);
    }
    return wanted;
  }

  #layOut() {
    const wanted = this.#wanted();
    this.#flat = [];
    const visit = (parent, level) => {
      const children = wanted ? this.#childrenOf(parent).filter((path) => wanted.has(path)) : this.#childrenOf(parent);
      children.forEach((path, index) => {
        const isOpen = wanted !== null || this.#open.has(path);
        this.#flat.push({ path, level, position: index + 1, size: children.length, isOpen });
        if (isOpen) visit(path, level + 1);
      });
    };
    visit('', 1);
    this.#active ??= this.#flat[0]?.path ?? null;
    this.#body.style.height = `${this.#flat.length * ROW_HEIGHT}px`;
    set(this.element, 'aria-rowcount', this.#flat.length);
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_HEIGHT) - BEYOND);
    const last = Math.min(this.#flat.length, first + Math.ceil(this.element.clientHeight / ROW_HEIGHT) + 2 * BEYOND);
    const slots = [];
    for (let index = first; index < last; index++) slots.push(index);

    // What the reader is at has to be there, though it be out of sight.
    const active = this.#flat.findIndex((node) => node.path === this.#active);
    if (active >= 0 && (active < first || active >= last)) slots.push(active);
    while (this.#pool.length < slots.length) this.#pool.push(this.#body.appendChild(this.#make(this.#pool.length)));
    this.#pool.forEach((element, slot) => {
      element.hidden = slot >= slots.length;
      if (!element.hidden) this.#write(element, slots[slot]);
      else element.removeAttribute('id');
    });
    set(this.element, 'aria-activedescendant', active >= 0 ? `${this.#id}-${active}` : null);
  }

  #make() {
    return h('div', { role: 'row' },
      h('span', { role: 'gridcell' }, h('span', { class: 'fold', 'aria-hidden': 'true' }), h('span', { class: 'mono' }), h('span', { class: 'about' })),
      ...this.#columns.map((column) => h('span', { role: 'gridcell', class: column.kind ?? null }, h('span'))));
  }

  #write(element, index) {
    const node = this.#flat[index];
    const row = this.#rows.get(node.path);
    const children = this.below(node.path);
    element.style.top = `${index * ROW_HEIGHT}px`;
    element.dataset.path = node.path;
    set(element, 'id', `${this.#id}-${index}`);
    set(element, 'aria-level', node.level);
    set(element, 'aria-posinset', node.position);
    set(element, 'aria-setsize', node.size);
    set(element, 'aria-rowindex', index + 1);
    set(element, 'aria-expanded', children > 0 ? String(node.isOpen) : null);
    set(element, 'aria-selected', String(node.path === this.#active));
    element.classList.toggle('active', node.path === this.#active);
    const [fold, name, about] = element.firstChild.children;
    element.firstChild.style.paddingLeft = `${(node.level - 1) * 16}px`;
    setText(fold, children === 0 ? '' : node.isOpen ? '▾' : '▸');
    setText(name, node.path.slice(node.path.lastIndexOf('/') + 1));
    setText(about, this.#about(node.path, row));
    this.#columns.forEach((column, at) => {
      const content = column.cell(row, node.path);
      const { text, tone = null } = typeof content === 'object' && content !== null ? content : { text: content };
      const holder = element.children[at + 1].firstChild;
      setText(holder, String(text ?? ''));
      set(holder, 'data-tone', tone);
      set(holder, 'class', tone ? 'tone' : null);
    });
  }

  #toggle(path, isOpen) {
    if (isOpen) this.#open.add(path);
    else this.#open.delete(path);
    this.#layOut();
  }

  #click(event) {
    const path = event.target.closest('[data-path]')?.dataset.path;
    if (!path) return;
    this.#active = path;
    if (this.below(path) > 0 && !this.#filter) this.#toggle(path, !this.#open.has(path));
    else this.#draw();
  }

  #key(event) {
    const at = this.#flat.findIndex((node) => node.path === this.#active);
    const node = this.#flat[at];
    if (!node) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const go = (index) => {
      const to = Math.max(0, Math.min(this.#flat.length - 1, index));
      this.#active = this.#flat[to].path;
      const top = to * ROW_HEIGHT;
      if (top < this.element.scrollTop) this.element.scrollTop = top;
      else if (top + 2 * ROW_HEIGHT > this.element.scrollTop + this.element.clientHeight) this.element.scrollTop = top + 2 * ROW_HEIGHT - this.element.clientHeight;
      this.#draw();
    };
    const canOpen = this.below(node.path) > 0 && !this.#filter;
    const actions = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      PageDown: () => go(at + page),
      PageUp: () => go(at - page),
      Home: () => go(0),
      End: () => go(this.#flat.length - 1),
      ArrowRight: () => (canOpen && !node.isOpen ? this.#toggle(node.path, true) : canOpen ? go(at + 1) : null),
      ArrowLeft: () => (canOpen && node.isOpen ? this.#toggle(node.path, false) : go(this.#flat.findIndex((other) => other.path === parentOf(node.path)))),
      Enter: () => (canOpen ? this.#toggle(node.path, !node.isOpen) : null),
    };
    if (!actions[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  }
}

/** '' above the topmost. */
function parentOf(path) {
  const end = path.lastIndexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}
