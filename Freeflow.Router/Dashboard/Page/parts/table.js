import { h, set, setText } from './dom.js';
import { count } from './format.js';

const MOST_SHOWN = 250;
const compare = new Intl.Collator('en', { numeric: true }).compare;

/**
 * A table whose rows keep their elements while they last, so that focus, selection and a reader's place stay.
 *
 * Columns: { title, value(row), cell(row, key)?, kind? }. `value` is what is sorted and searched by; `cell` gives a text or { text, tone, title };
 * `kind` is 'number', 'mono', 'name' (cut short where it is long) or 'long'. `select(key)` makes the first column a button.
 */
export class Table {
  #columns;
  #rows = new Map();
  #elements = new Map();
  #sort;
  #filter = '';
  #selected = null;
  #select;
  #body = h('tbody');
  #note = h('p', { class: 'note' });
  #empty;
  #heads;
  #scroll;

  constructor({ caption, columns, empty, sort = { column: 0, descending: false }, select = null }) {
    this.#columns = columns;
    this.#sort = sort;
    this.#select = select;
    this.#empty = h('p', { class: 'empty' }, empty);
    this.#heads = columns.map((column, index) => h('th', { scope: 'col', class: column.kind === 'number' ? 'number' : null },
      h('button', { type: 'button', onclick: () => this.#sortBy(index) }, column.title)));
    this.#scroll = h('div', { class: 'scroll', role: 'group', 'aria-label': caption, tabindex: '0' },
      h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, ...this.#heads)), this.#body));
    this.element = h('div', {}, this.#scroll, this.#empty, this.#note);
    this.#draw();
  }

  /** A field that filters the rows. */
  filterField(label) {
    return h('input', { type: 'search', placeholder: label, 'aria-label': label, oninput: (event) => this.#search(event.target.value) });
  }

  /** @param rows By key. @param total How many there are altogether. @param problem What is wrong with them. */
  update(rows, total = rows.size, problem = null) {
    this.#rows = rows;
    this.total = total;
    this.problem = problem;
    this.#draw();
  }

  get selected() {
    return this.#selected;
  }

  #sortBy(index) {
    const descending = this.#sort.column === index ? !this.#sort.descending : this.#columns[index].kind === 'number';
    this.#sort = { column: index, descending };
    this.#draw();
  }

  #search(text) {
    this.#filter = text.trim().toLowerCase();
    this.#draw();
  }

  #matches(row) {
    return this.#filter.split(/\s+/).every((word) => this.#columns.some((column) => String(column.value(row) ?? '').toLowerCase().includes(word)));
  }

  #draw() {
    const { column, descending } = this.#sort;
    const valueOf = this.#columns[column].value;
    this.#heads.forEach((head, index) => set(head, 'aria-sort', index === column ? (descending ? 'descending' : 'ascending') : null));
    const found = [...this.#rows].filter(([, row]) => !this.#filter || this.#matches(row)).map(([key, row]) => ({ key, row, value: valueOf(row) }));
    found.sort((one, other) => order(one.value, other.value) * (descending ? -1 : 1) || compare(one.key, other.key));
    const shown = found.slice(0, MOST_SHOWN);
    this.#place(shown);
    this.#scroll.hidden = shown.length === 0;
    this.#empty.hidden = this.#rows.size > 0;
    setText(this.#note, this.#remark(found.length, shown.length));
  }

  #remark(found, shown) {
    const remarks = [];
    if (found > shown) remarks.push(`${count(found - shown)} more match: narrow them down by the filter.`);
    if (found === 0 && this.#rows.size > 0) remarks.push(`None of ${count(this.#rows.size)} matches the filter.`);
    if ((this.total ?? 0) > this.#rows.size && this.#rows.size > 0) remarks.push(`The router has ${count(this.total - this.#rows.size)} more; it sends the first ${count(this.#rows.size)}.`);
    if (this.problem) remarks.push(this.problem + '.');
    return remarks.join(' ');
  }

  #place(shown) {
    const wanted = new Set(shown.map(({ key }) => key));
    for (const [key, element] of this.#elements) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#elements.delete(key);
    }
    const focused = document.activeElement;
    shown.forEach(({ key, row }, index) => {
      let element = this.#elements.get(key);
      if (!element) this.#elements.set(key, (element = this.#make(key)));
      this.#write(element, key, row);
      if (this.#body.children[index] !== element) this.#body.insertBefore(element, this.#body.children[index] ?? null);
    });
    if (focused && focused !== document.activeElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
  }

  #make(key) {
    const cells = this.#columns.map((column, index) => {
      const cell = h(index === 0 ? 'th' : 'td', { class: column.kind ?? null, scope: index === 0 ? 'row' : null });
      cell.append(index === 0 && this.#select ? h('button', { type: 'button', class: 'choose', onclick: () => this.#choose(key) }) : h('span'));
      return cell;
    });
    return h('tr', {}, ...cells);
  }

  #write(element, key, row) {
    this.#columns.forEach((column, index) => {
      const content = column.cell ? column.cell(row, key) : column.value(row);
      const { text, tone = null, title = null } = typeof content === 'object' && content !== null ? content : { text: content };
      const holder = element.children[index].firstChild;
      setText(holder, String(text ?? '–'));
      set(holder, 'title', title ?? (column.kind === 'name' ? text : null));
      if (index > 0 || !this.#select) set(holder, 'class', tone ? 'tone' : null);
      set(holder, 'data-tone', tone);
    });
    if (this.#select) set(element, 'aria-selected', String(key === this.#selected));
  }

  #choose(key) {
    this.#selected = this.#selected === key ? null : key;
    this.#draw();
    this.#select(this.#selected);
  }
}

function order(one, other) {
  if (typeof one === 'number' || typeof other === 'number') return (one ?? -1) - (other ?? -1);
  return compare(one ?? '', other ?? '');
}
