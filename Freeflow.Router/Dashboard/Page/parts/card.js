import { h } from './dom.js';

/** A titled part of the page; `tools` go to the right of its title. */
export const card = (title, body, tools = []) =>
  h('section', { class: 'card', 'aria-label': title }, h('header', {}, h('h2', {}, title), h('div', { class: 'tools' }, ...tools)), body);
