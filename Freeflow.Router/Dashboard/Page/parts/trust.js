import { h, set, setText } from './dom.js';

/** Who may join the cluster: a warning where everybody may. */
export class Trust {
  constructor() {
    this.text = h('span', { class: 'tone' });
    this.element = h('p', { class: 'note', hidden: '' }, this.text);
  }

  update(router) {
    this.element.hidden = !router?.Trust;
    if (!router?.Trust) return;
    setText(this.text, `Cluster: ${router.Trust.Words}`);
    set(this.text, 'data-tone', router.Trust.IsOpen ? 'warn' : 'good');
  }
}
