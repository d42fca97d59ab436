'use strict';

// The streams of the child that exec and execFile return, used like any other's while its output is being collected.

const { once } = require('node:events');
const { PassThrough } = require('node:stream');
const { pipeline } = require('node:stream/promises');

const { collect } = require('../collected');

const MB = 1 << 20;

// Where one chunk ends and the next begins is not deterministic.
function listen(stream) {
  const heard = { kinds: new Set(), text: '', events: [] };
  stream.on('data', (chunk) => {
    heard.kinds.add(Buffer.isBuffer(chunk) ? 'Buffer' : typeof chunk);
    heard.text += Buffer.isBuffer(chunk) ? chunk.toString('latin1') : chunk;
  });
  for (const event of ['end', 'error', 'close']) stream.on(event, () => heard.events.push(event));
  return heard;
}

function tell({ kinds, text, events }) {
  return { kinds: [...kinds], text, events };
}

/** Collects as exec does, and listens to both streams from the start. */
async function listening(t, start, also = () => {}) {
  let stdout;
  let stderr;
  const outcome = await collect(t, start, {
    touch: (child) => {
      stdout = listen(child.stdout);
      stderr = listen(child.stderr);
      return also(child);
    },
  });
  return t.describe({ outcome, stdout: tell(stdout), stderr: tell(stderr) });
}

module.exports = {
  'streams that are accessed after the exit': async (cp) => {
    const run = (command, access) =>
      new Promise((resolve) => {
        const events = [];
        const child = cp.exec(command, { maxBuffer: Infinity }, (error, stdout, stderr) => {
          events.push(['callback', error, stdout.length, stderr.length]);
        });
        child.on('exit', () => access(child));
        child.on('close', (...how) => resolve([...events, ['close', ...how]]));
      });
    const touches = {
      both: (child) => void child.stdio,
      stdout: (child) => void child.stdout,
      later: (child) => setTimeout(() => void child.stdout, 50),
    };
    const commands = { long: 'head -c 3000000 /dev/zero', background: 'echo 1; (sleep 0.3; echo 2; echo 3 >&2) &' };
    const seen = {};
    for (const [name, command] of Object.entries(commands))
      for (const [at, touch] of Object.entries(touches)) seen[`${name}, ${at}`] = await run(command, touch);
    return seen;
  },

  'writing to stdin': async (cp, t) => ({
    end: await collect(t, (callback) => cp.exec('cat', callback), {
      touch: (child) => {
        child.stdin.end('hello');
      },
    }),
    many: await collect(t, (callback) => cp.execFile('cat', callback), {
      touch: (child) => {
        for (let i = 0; i < 1000; i++) child.stdin.write(`${i} ä\n`);
        child.stdin.end();
      },
    }),
    empty: await collect(t, (callback) => cp.execFile('wc', ['-c'], callback), {
      touch: (child) => {
        child.stdin.end();
      },
    }),
    late: await collect(t, (callback) => cp.exec('read a; read b; echo "$a-$b"', callback), {
      touch: (child) => {
        child.stdin.write('first\n');
        setTimeout(() => child.stdin.end('second\n'), 60);
      },
    }),
  }),

  '5 MB through stdin and back': (cp, t) =>
    collect(t, (callback) => cp.execFile('cat', { maxBuffer: 10 * MB, encoding: 'buffer' }, callback), {
      touch: (child) => {
        child.stdin.end(Buffer.alloc(5 * MB, 'a line that comes back\n'));
      },
    }),

  'a program that reads its input waits for it; ended by kill': (cp, t) =>
    collect(t, (callback) => cp.execFile('cat', callback), {
      touch: (child) => {
        setTimeout(() => child.kill(), 60);
      },
    }),

  'stdin destroyed': (cp, t) =>
    collect(t, (callback) => cp.execFile('cat', callback), {
      touch: (child) => {
        child.stdin.destroy();
      },
    }),

  'stdin of a program that does not read': async (cp, t) => {
    const errors = [];
    const outcome = await collect(t, (callback) => cp.exec('exec 0<&-; echo closed; sleep 0.2', callback), {
      touch: async (child) => {
        child.stdin.on('error', (error) => errors.push([error.code, error.syscall]));
        await once(child.stdout, 'data');
        child.stdin.write('x');
      },
    });
    return { outcome, errors };
  },

  'piped from another': async (cp, t) => {
    const source = cp.exec('echo one; echo two');
    return collect(t, (callback) => cp.execFile('tr', ['a-z', 'A-Z'], callback), {
      touch: (child) => {
        source.stdout.pipe(child.stdin);
      },
    });
  },

  'listening to the output': async (cp, t) => ({
    text: await listening(t, (callback) => cp.exec('echo out ä; echo err ö >&2', callback)),
    bytes: await listening(t, (callback) => cp.exec('echo out ä; echo err ö >&2', { encoding: 'buffer' }, callback)),
    hex: await listening(t, (callback) => cp.exec('echo out ä; echo err ö >&2', { encoding: 'hex' }, callback)),
    failing: await listening(t, (callback) => cp.execFile('sh', ['-c', 'echo out; echo err >&2; exit 3'], callback)),
    nothing: await listening(t, (callback) => cp.exec('true', callback)),
    withoutCallback: await collect(t, () => cp.exec('echo x'), {
      callback: false,
      touch: (child) => {
        listen(child.stdout);
      },
    }),
  }),

  'listening to one of the streams': async (cp, t) => {
    let heard;
    const outcome = await collect(t, (callback) => cp.exec('echo out; echo err >&2', callback), {
      touch: (child) => {
        heard = listen(child.stderr);
      },
    });
    return t.describe({ outcome, heard: tell(heard) });
  },

  'listening to much output': async (cp, t) => {
    const { outcome, stdout } = await listening(t, (callback) =>
      cp.exec(`yes 'a line of output' | head -c ${3 * MB}`, { maxBuffer: Infinity }, callback),
    );
    return { outcome, stdout };
  },

  // What such a listener hears of the time before it came is a deliberate difference: deliberate.test.js.
  'a listener that comes late does not take anything from the callback': async (cp, t) => {
    let heard = '';
    const outcome = await collect(t, (callback) => cp.exec('echo early; sleep 0.4; echo late', callback), {
      touch: async (child) => {
        await t.sleep(200);
        child.stdout.on('data', (data) => {
          heard += data;
        });
      },
    });
    return { outcome, heardTheEnd: heard.endsWith('late\n') };
  },

  'listening while the limit is reached': async (cp, t) => {
    const { outcome, stdout } = await listening(t, (callback) =>
      cp.exec('printf 0123456789; exec sleep 5', { maxBuffer: 4 }, callback),
    );
    return { outcome, stdout };
  },

  'listening while the time runs out': (cp, t) =>
    listening(t, (callback) => cp.exec('echo before; exec sleep 5', { timeout: 250 }, callback)),

  'listening to a program that did not start': (cp, t) =>
    listening(t, (callback) => cp.execFile('no-such-program', callback)),

  'setEncoding by the caller': async (cp, t) => ({
    hex: await listening(
      t,
      (callback) => cp.exec('echo ä; echo ö >&2', callback),
      (child) => {
        child.stdout.setEncoding('hex');
      },
    ),
    textOfBuffers: await listening(
      t,
      (callback) => cp.exec('echo ä; echo ö >&2', { encoding: 'buffer' }, callback),
      (child) => {
        child.stdout.setEncoding('utf8');
      },
    ),
    bothOfBuffers: await listening(
      t,
      (callback) => cp.exec('echo ä; echo ö >&2; exit 2', { encoding: 'buffer' }, callback),
      (child) => {
        child.stdout.setEncoding('utf8');
        child.stderr.setEncoding('utf8');
      },
    ),
    latin1: await listening(
      t,
      (callback) => cp.exec('printf "\\303\\244"', callback),
      (child) => {
        child.stdout.setEncoding('latin1');
      },
    ),
  }),

  'setEncoding by the caller, and a limit': (cp, t) =>
    collect(
      t,
      (callback) => cp.exec('printf 0123456789; exec sleep 5', { encoding: 'buffer', maxBuffer: 4 }, callback),
      {
        touch: (child) => {
          child.stdout.setEncoding('utf8');
        },
      },
    ),

  'pipe()': async (cp, t) => {
    const through = new PassThrough();
    const text = once(through, 'end');
    let heard = '';
    through.on('data', (data) => {
      heard += data;
    });
    const outcome = await collect(t, (callback) => cp.exec('echo one; echo two', callback), {
      touch: (child) => {
        child.stdout.pipe(through);
      },
    });
    await text;
    return { outcome, heard };
  },

  'pipeline() and async iteration': async (cp, t) => {
    let piped = '';
    let iterated = '';
    const through = new PassThrough();
    through.on('data', (data) => {
      piped += data;
    });
    const first = await collect(t, (callback) => cp.exec('echo one; echo two', callback), {
      touch: (child) => pipeline(child.stdout, through),
    });
    const second = await collect(t, (callback) => cp.exec('echo one; echo two', callback), {
      touch: async (child) => {
        for await (const data of child.stdout) iterated += data;
      },
    });
    return { first, second, piped, iterated };
  },

  'pause and resume': (cp, t) =>
    collect(t, (callback) => cp.exec('echo one; sleep 0.05; echo two', callback), {
      touch: (child) => {
        child.stdout.pause();
        setTimeout(() => child.stdout.resume(), 250);
      },
    }),

  'a paused stream holds back the callback': async (cp, t) => {
    let called = false;
    const child = cp.exec('echo one', () => {
      called = true;
    });
    const closed = once(child, 'close');
    child.stdout.pause();
    await once(child, 'exit');
    await t.sleep(100);
    const before = called;
    child.stdout.resume();
    await closed;
    return { before, after: called };
  },

  'stdout destroyed': async (cp, t) => ({
    atOnce: await collect(t, (callback) => cp.exec('sleep 0.1; exit 3', callback), {
      touch: (child) => {
        child.stdout.destroy();
      },
    }),
    afterSome: await collect(t, (callback) => cp.exec('echo one; exec sleep 0.3', callback), {
      touch: (child) => {
        child.stdout.once('data', () => child.stdout.destroy());
      },
    }),
  }),
};
