'use strict';

// The child that exec and execFile return, used like any other while its output is being collected.

const { once } = require('node:events');
const { PassThrough } = require('node:stream');
const { pipeline } = require('node:stream/promises');

const { aMoment, collect } = require('../collected');

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

  // What such a listener hears of the time before it came is a deliberate difference: exec-deliberate.test.js.
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

  'kill()': async (cp, t) => {
    const outcomes = {};
    for (const args of [[], ['SIGTERM'], ['SIGKILL'], [2], ['SIGHUP']]) {
      outcomes[args] = await collect(t, (callback) => cp.exec('exec sleep 5', callback), {
        touch: (child) => {
          t.log(child.kill(...args), child.killed);
        },
      });
    }
    return outcomes;
  },

  'kill() with output pending': (cp, t) =>
    collect(t, (callback) => cp.exec('echo before; exec sleep 5', callback), {
      touch: (child) => {
        setTimeout(() => child.kill(), 200);
      },
    }),

  'kill(0) is no kill, but a failure after a kill that did nothing says killed': async (cp, t) => ({
    zero: await collect(t, (callback) => cp.exec('sleep 0.1; exit 3', callback), {
      touch: (child) => {
        t.log(child.kill(0), child.killed);
      },
    }),
    cont: await collect(t, (callback) => cp.exec('sleep 0.1; exit 3', callback), {
      touch: (child) => {
        t.log(child.kill('SIGCONT'), child.killed);
      },
    }),
    good: await collect(t, (callback) => cp.exec('sleep 0.1', callback), {
      touch: (child) => {
        t.log(child.kill('SIGCONT'), child.killed);
      },
    }),
  }),

  'killed from outside': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', callback), {
      touch: (child) => {
        process.kill(child.pid, 'SIGINT');
      },
    }),

  'Symbol.dispose': async (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', callback), {
      touch: (child) => child[Symbol.dispose]?.() ?? child.kill(),
    }),

  'what the child and its streams are': async (cp, t) => {
    const outcomes = {};
    for (const [label, options] of Object.entries({
      text: {},
      bytes: { encoding: 'buffer' },
      hex: { encoding: 'hex' },
    })) {
      const child = cp.exec('echo x', options, () => {});
      outcomes[label] = t.describe({
        pid: typeof child.pid,
        connected: child.connected,
        exitCode: child.exitCode,
        stdio: child.stdio.map((stream) => stream.constructor.name),
        same: [child.stdin === child.stdio[0], child.stdout === child.stdio[1], child.stderr === child.stdio[2]],
        encodings: [child.stdout.readableEncoding, child.stderr.readableEncoding],
        writable: child.stdin.writable,
      });
      await once(child, 'close');
    }
    return outcomes;
  },

  'listeners that exec itself has': async (cp) => {
    const child = cp.exec('echo x', () => {});
    const counts = ['spawn', 'exit', 'close', 'error'].map((event) => [event, child.listenerCount(event)]);
    await once(child, 'close');
    return { counts, after: ['spawn', 'exit', 'close', 'error'].map((event) => [event, child.listenerCount(event)]) };
  },

  'listeners that exec has on the streams': async (cp) => {
    const child = cp.exec('echo x', () => {});
    const counts = [child.stdout, child.stderr].map((stream) => [stream.listenerCount('data'), stream.readableFlowing]);
    await once(child, 'close');
    return counts;
  },

  'an error event that the caller emits is what the callback gets': async (cp, t) => {
    const errors = [];
    const child = cp.exec('exec sleep 0.2', (...args) => errors.push(args));
    const closed = new Promise((resolve) => child.on('close', resolve));
    child.emit('error', new RangeError('mine'));
    const atOnce = errors.length;
    await closed;
    await aMoment();
    return t.describe({ atOnce, errors });
  },

  'listeners of exit and close that throw': async (cp, t) => {
    const calls = [];
    const first = cp.exec('echo one', (...args) => calls.push(args));
    first.on('exit', () => {
      throw new EvalError('from exit');
    });
    await t.sleep(200);
    const second = cp.exec('echo two', (...args) => calls.push(args));
    second.on('close', () => {
      throw new EvalError('from close');
    });
    await t.sleep(200);
    return t.describe(calls);
  },

  'unref lets the process end before the child': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('exec sleep 0.5', () => console.log('never'));
      child.unref();
      for (const stream of child.stdio) stream.unref();
      process.on('exit', () => console.log('the process ends', child.exitCode));
    }),

  'unref of the child alone: its output is waited for, its end is not': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x; exec >&- 2>&-; sleep 1', (error, stdout) => console.log('never', stdout));
      child.unref();
      process.on('exit', () => console.log('the process ends'));
    }),

  'process.exit() while output is collected': (cp, t) =>
    t.inNewProcess((cp) => {
      cp.exec('sleep 0.3; echo x', () => console.log('never'));
      cp.exec('yes', { maxBuffer: Infinity }, () => console.log('never'));
      setTimeout(() => process.exit(7), 100);
    }),

  'streams first touched when all is over': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x', () => {
        child.stdout.on('data', () => console.log('never'));
        console.log('callback', child.stdout.destroyed);
      });
      child.on('close', () =>
        setImmediate(() => console.log('close', child.stderr.destroyed, child.stderr.readableEnded)),
      );
    }),

  'streams first touched at the exit': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x', (error, stdout) => console.log('callback', error, stdout));
      child.on('exit', () => child.stdout.on('data', () => {}));
      child.on('close', () => console.log('close'));
    }),
};
