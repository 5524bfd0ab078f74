const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const UNITS = ['', 'k', 'M', 'G', 'T'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A number of things. */
export const count = (value) => whole.format(value);

/** Three digits and a unit: 1.23 M. */
export function short(value) {
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 ? (value < 10 && value % 1 !== 0 ? 1 : 0) : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + (UNITS[unit] ? ` ${UNITS[unit]}` : '');
}

/** Bytes a second, as networks are measured: bits. */
export const bitRate = (bytes) => (bytes === null || bytes === undefined ? '–' : `${short(bytes * 8)}${bytes * 8 < 999.5 ? ' ' : ''}bit/s`);

/** Things a second. */
export const rate = (value) => (value === null || value === undefined ? '–' : `${short(value)}/s`);

/** Bytes held. */
export function bytes(value) {
  if (value === null || value === undefined) {
    return '–';
  }
  let unit = 0;
  while (value >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${BINARY[unit]}`;
}

/** A time of day, in the reader's zone. */
export const clock = (at) => new Date(at).toLocaleTimeString('en-GB');

/** A date and a time of day, in the reader's zone. */
export function dateAndClock(at) {
  const time = new Date(at);
  const two = (number) => String(number).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock(time)}`;
}

/** How long ago. */
export function age(since, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(since)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/**
 * What containers have named: with controls, escapes, marks that turn the direction and the like as \x1b or \u202e, as the command prints it.
 */
export function visible(text) {
  return text.replace(/\\|[\p{C}\p{Zl}\p{Zp}\uFFFD]/gu, (letter) => {
    if (letter === '\\') return '\\\\';
    const code = letter.codePointAt(0);
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A container's addresses; those of a link alone only where it has no others. */
export function addressesOf(container) {
  const all = container.Addresses.map((address) => address.Address);
  const routed = all.filter((address) => !address.toLowerCase().startsWith('fe80:'));
  return (routed.length > 0 ? routed : all).join(', ');
}

/** The host in host:port or [host]:port. */
export const hostOf = (endpoint) => (endpoint.startsWith('[') ? endpoint.slice(1, endpoint.indexOf(']')) : endpoint.slice(0, endpoint.lastIndexOf(':')));

/** The host in a node's name, akka.tcp://freeflow@host:port#incarnation. */
export const nodeHost = (node) => (node ? hostOf(node.slice(node.indexOf('@') + 1).replace(/#.*$/, '')) : null);
