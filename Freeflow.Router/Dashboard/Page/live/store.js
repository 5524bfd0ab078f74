import { hostOf } from '../parts/format.js';
import { changesOf } from './changes.js';

const MOST_SAMPLES = 600;
const MOST_POINTS = 300;

/** What the router has said, kept as it is now; tells its listeners once for each message. */
export class Store {
  router = null;
  samples = [];
  at = 0;
  #tables = new Map();
  #points = new Map();
  #listeners = new Set();

  /** Rows by their key; empty before the router has said any. */
  rows(name) {
    return this.#tables.get(name)?.rows ?? new Map();
  }

  total(name) {
    return this.#tables.get(name)?.total ?? 0;
  }

  /** Why rows are missing or old; null when they are not. */
  problem(name) {
    return this.#tables.get(name)?.problem ?? null;
  }

  has(name) {
    return this.#tables.has(name);
  }

  /** What a QP or flow did while this page was open: [[at, one, other], …]. */
  points(name, key) {
    return this.#points.get(`${name} ${key}`) ?? [];
  }

  /** Calls `listener(changed)` after each message, with what is to be read out of each table that it has changed. Returns how to stop that. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(message) {
    this.at = message.At;
    if (message.Router) this.router = message.Router;
    if (message.History) this.samples = message.History;
    if (message.Sample) this.samples.push(message.Sample);
    if (this.samples.length > MOST_SAMPLES) this.samples.splice(0, this.samples.length - MOST_SAMPLES);
    const changed = new Map();
    for (const [name, part] of Object.entries(message.Tables)) {
      const before = this.#tables.get(name);
      const rows = part.All || !before ? new Map() : before.rows;
      changed.set(name, before ? changesOf(name, before.rows, part) : []);
      for (const key of part.Gone) rows.delete(key);
      for (const [key, row] of Object.entries(part.Rows)) rows.set(key, row);
      this.#tables.set(name, { rows, total: part.Total, problem: part.Problem });
    }
    this.#remember('qps', (row) => [row.SendsRate, row.ReceivesRate]);
    this.#remember('flows', (row) => [row.SentRate, row.ReceivedRate]);
    for (const listener of this.#listeners) listener(changed);
  }

  /** The name of the process that a container's connection is of; empty where the router does not see it. */
  processOf(container, pid) {
    return this.rows('containers').get(container)?.Processes.find((process) => process.Pid === pid && process.Name)?.Name ?? '';
  }

  addressOf(container) {
    return this.rows('containers').get(container)?.Addresses[0]?.Address ?? '';
  }

  /** This host's own containers' addresses. */
  ownAddresses() {
    return new Set([...this.rows('containers').values()].flatMap((container) => container.Addresses.map((address) => address.Address)));
  }

  flowEnds(flow) {
    return { from: hostOf(flow.Local), to: hostOf(flow.Peer), router: hostOf(flow.Router) };
  }

  #remember(name, ratesOf) {
    const rows = this.rows(name);
    for (const [key, row] of rows) {
      const [one, other] = ratesOf(row);
      if (one === null) continue;
      const id = `${name} ${key}`;
      const points = this.#points.get(id) ?? [];
      if (points.length === 0) this.#points.set(id, points);
      points.push([this.at, one, other]);
      if (points.length > MOST_POINTS) points.shift();
    }
    for (const id of this.#points.keys()) {
      if (id.startsWith(`${name} `) && !rows.has(id.slice(name.length + 1))) this.#points.delete(id);
    }
  }
}
