// GraphQL over SSE, one connection a subscription: snapshots until it is stopped, over outages and restarts.

import { documentOf, refusalOf, RefusedError } from './ask.js';

const SILENCE_MS = 50_000; // three heartbeats
const LONGEST_WAIT_MS = 15_000;

/**
 * Listens. `told(answer)`: a snapshot. `state(name, error)`: `connecting`, `live`, `waiting` for the next
 * try, or `refused`, after which there is none. Returns what stops it.
 */
export function listen(name, variables, { headers, intervalMs, told, state }) {
  const stopping = new AbortController();
  const listener = { name, variables, headers, intervalMs, told, state, lastEventId: '', tries: 0, retryMs: 0 };
  run(listener, stopping.signal).catch((error) => {
    if (!stopping.signal.aborted) state('refused', error);
  });
  return () => stopping.abort();
}

async function run(listener, signal) {
  for (;;) {
    let waitMs;
    try {
      listener.state('connecting');
      await once(listener, signal);
      waitMs = Math.max(300, listener.retryMs);
      listener.retryMs = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RefusedError && ![429, 502, 503, 504].includes(error.status)) throw error;
      listener.tries += 1;
      const growing = Math.min(LONGEST_WAIT_MS, 500 * 2 ** listener.tries);
      // Not all at once: a gateway that is back has more than one page to serve.
      waitMs = Math.max((error.retryAfterS ?? 0) * 1000, growing * (0.5 + Math.random() / 2));
      listener.state('waiting', error);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (signal.aborted) return;
  }
}

/** One connection, to its end; raises RefusedError where coming back would change nothing. */
async function once(listener, signal) {
  const broken = new AbortController();
  const end = () => broken.abort();
  signal.addEventListener('abort', end);
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(end, SILENCE_MS);
  };
  try {
    heard();
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', ...listener.headers() },
      body: JSON.stringify({
        query: await documentOf(listener.name),
        variables: listener.variables,
        extensions: {
          live: {
            intervalMs: listener.intervalMs,
            ...(listener.lastEventId ? { lastEventId: listener.lastEventId } : {}),
          },
        },
      }),
      signal: broken.signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (!response.ok || !isStream) throw await refusalOf(response);
    listener.tries = 0;
    listener.state('live');
    await read(response.body, listener, heard);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', end);
  }
}

async function read(body, listener, heard) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  let lastAnswer = null;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    rest += decoder.decode(value, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const fields = fieldsOf(event);
      if (fields.id) listener.lastEventId = fields.id;
      if (fields.retry) listener.retryMs = Number(fields.retry) || 0;
      if (fields.event === 'next') listener.told((lastAnswer = JSON.parse(fields.data)));
      if (fields.event === 'complete') throw new RefusedError(200, lastAnswer?.errors);
    }
  }
}

function fieldsOf(event) {
  const lines = event.split('\n').filter((line) => line && !line.startsWith(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const [name, ...said] = line.split(':');
      return [name, said.join(':').replace(/^ /, '')];
    }),
  );
}
