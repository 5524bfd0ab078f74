import uPlot from '../vendor/uplot/uPlot.esm.js';
import { h, setText } from './dom.js';

const COLOURS = ['--one', '--two', '--three'];
const MINUTES = 5;

/**
 * A line chart of rates over the last minutes, with what they are now beside it in text.
 *
 * @param series Names. @param format Of a value. @param points Gives [[at in ms, one, other, …], …].
 */
export class Chart {
  #plot = null;
  #place;
  #values;
  #title;
  #series;
  #format;
  #points;
  #observer;
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #redraw = () => this.#make();

  constructor({ title, series, format, points }) {
    [this.#title, this.#series, this.#format, this.#points] = [title, series, format, points];
    this.#values = series.map(() => h('b'));
    this.#place = h('div', { class: 'plot', role: 'img' });
    this.element = h('section', { class: 'card chart', 'aria-label': title },
      h('header', {}, h('h2', {}, title), h('p', { class: 'legend' },
        ...series.map((name, index) => h('span', { 'data-series': index }, `${name} `, this.#values[index])))),
      this.#place);
    this.#observer = new ResizeObserver(() => this.#make());
    this.#observer.observe(this.#place);
    this.#scheme.addEventListener('change', this.#redraw);
    addEventListener('themechange', this.#redraw);
  }

  update() {
    const points = this.#points();
    const last = points.at(-1);
    const words = this.#series.map((name, index) => {
      const text = last ? this.#format(last[index + 1]) : '–';
      setText(this.#values[index], text);
      return `${name} ${text}`;
    });
    this.#place.setAttribute('aria-label', `${this.#title}: now ${words.join(', ')}`);
    this.#plot?.setData(this.#columns(points), false);
    this.#scale(points);
  }

  end() {
    this.#observer.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    removeEventListener('themechange', this.#redraw);
    this.#plot?.destroy();
  }

  #columns(points) {
    return [points.map((point) => point[0] / 1000), ...this.#series.map((_, index) => points.map((point) => point[index + 1]))];
  }

  #scale(points) {
    if (!this.#plot) return;
    const now = (points.at(-1)?.[0] ?? Date.now()) / 1000;
    const highest = Math.max(1, ...points.slice(-MINUTES * 60).flatMap((point) => point.slice(1)));
    this.#plot.batch(() => {
      this.#plot.setScale('x', { min: now - MINUTES * 60, max: now });
      this.#plot.setScale('y', { min: 0, max: highest * 1.12 });
    });
  }

  #make() {
    const { clientWidth: width, clientHeight: height } = this.#place;
    if (width < 40 || height < 40) return;
    this.#plot?.destroy();
    const style = getComputedStyle(this.#place);
    const resolve = (name) => resolved(this.#place, name);
    const [ink, line] = [resolve('--muted'), resolve('--line')];
    const axis = { stroke: ink, font: `11px ${style.fontFamily}`, ticks: { show: false }, grid: { stroke: line, width: 1 } };
    this.#plot = new uPlot({
      width: width - 8,
      height: height - 6,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 18, 0, 0],
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [
        { ...axis, space: 70, size: 24, values: (_, splits) => splits.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })), incrs: [60, 120, 300] },
        { ...axis, size: 68, space: 32, values: (_, splits) => splits.map((value) => rounded(this.#format(value))) },
      ],
      series: [{}, ...this.#series.map((_, index) => ({ stroke: resolve(COLOURS[index]), width: 1.6, points: { show: false }, spanGaps: false }))],
    }, this.#columns(this.#points()), this.#place);
    this.update();
  }
}

/** Without noughts that say nothing: 8 Gbit/s for 8.00 Gbit/s. */
const rounded = (text) => text.replace(/\.0+(?=\D|$)|(\.\d*?[1-9])0+(?=\D|$)/, '$1');

/** A colour as the canvas takes it: light-dark() is worked out by the browser first. */
function resolved(element, name) {
  const probe = h('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
