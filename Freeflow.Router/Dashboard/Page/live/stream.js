// The router's stream of Server-Sent Events, read by fetch, since an EventSource can't show a token.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;
const SILENCE = 15000;
const TOKEN = 'freeflow-token';

/** What the router answers but 200: `status` is HTTP's. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const keepToken = (token) => sessionStorage.setItem(TOKEN, token);

/** Asks the router; throws Refused for anything but 200. */
export async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const response = await fetch(path, { ...options, cache: 'no-store', headers: token ? { Authorization: `Bearer ${token}` } : {} });
  if (!response.ok) {
    const text = (await response.text()).trim();
    let message = text;
    try {
      message = JSON.parse(text).Error ?? text;
    } catch {
      // Plain text, then.
    }
    throw new Refused(response.status, message || `HTTP ${response.status}`);
  }
  return response;
}

/**
 * Follows the stream until `stop` is aborted, over all interruptions. `tick` gets each message, `state` 'live', 'lost' (with why), or
 * 'refused' (with a Refused), after which it is over.
 */
export async function follow(path, { tick, state, stop }) {
  for (let wait = FIRST_WAIT; !stop.aborted; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      const silence = new AbortController();
      const response = await ask(path, { signal: AbortSignal.any([stop, silence.signal]) });
      for await (const message of events(response.body, silence)) {
        wait = FIRST_WAIT;
        state('live');
        tick(message);
      }
      state('lost', 'the router has ended the connection');
    } catch (problem) {
      if (stop.aborted) return;
      if (problem instanceof Refused && (problem.status === 401 || problem.status === 403)) {
        state('refused', problem);
        return;
      }
      state('lost', problem.message);
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function* events(body, silence) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let parts = [];
  let guard = setTimeout(() => silence.abort(), SILENCE);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(guard);
      guard = setTimeout(() => silence.abort(), SILENCE);
      // A large message comes in many parts: they are joined once, at its end.
      let rest = value;
      for (;;) {
        const joined = parts.length > 0 && parts.at(-1).endsWith('\n') && rest.startsWith('\n') ? 0 : rest.indexOf('\n\n');
        if (joined < 0) break;
        const text = parts.join('') + rest.slice(0, joined);
        rest = rest.slice(joined).replace(/^\n+/, '');
        parts = [];
        const data = text.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
        if (data) yield JSON.parse(data);
      }
      if (rest) parts.push(rest);
    }
  } finally {
    clearTimeout(guard);
    reader.cancel().catch(() => {});
  }
}
