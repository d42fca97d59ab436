'use strict';

// One direction at full speed, the same program whoever provides the channel: pump() at the end that sends, drain() at
// the other.

const { setImmediate: nextTurn } = require('node:timers/promises');
const { acknowledgements } = require('./acknowledged');

/** Takes all that comes, says so after each burst, and when the sender ends, how many came. */
function drain(end, { burst, check }) {
  let count = 0;
  end.data = (message) => {
    check(message, count);
    count += 1;
    if (count % burst === 0) end.tell('ack');
  };
  end.on('finish', () => {
    end.tell('finish', { count });
    count = 0;
  });
}

/**
 * Sends for `ms`, a burst each turn of the loop. Where send() asks for a pause, or a whole window is under way, it goes
 * on when the other end has caught up with half of that: neither of them runs dry, and no backlog grows.
 * Returns the messages and the time from the first one until the other end had confirmed the last.
 */
async function pump(end, { burst, window, make }, ms) {
  const acknowledged = acknowledgements(end);

  const from = performance.now();
  let sent = 0;
  let bursts = 0;
  do {
    let hasRoom = true;
    for (let i = 0; i < burst; i += 1) {
      hasRoom = end.send(make(sent));
      sent += 1;
    }
    bursts += 1;
    await nextTurn();
    if (!hasRoom || bursts - acknowledged.count >= window) await acknowledged.reach(bursts - window / 2);
  } while (performance.now() - from < ms);
  const { count } = await end.ask('finish');
  const elapsed = performance.now() - from;
  if (count !== sent) throw new Error(`${count} arrived of ${sent}`);
  return { count, ms: elapsed };
}

module.exports = { drain, pump };
