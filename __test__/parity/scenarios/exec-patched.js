'use strict';

// exec() where a program has replaced ChildProcess.prototype.spawn, and the method gives the child other streams or
// starts nothing; and where a program emits events on the child or replaces its methods.

const EventEmitter = require('node:events');
const { PassThrough } = require('node:stream');

const { collect } = require('../collected');

/** Runs `run` while `spawn` is in the place of the method of ChildProcess; `spawn` is called with the original. */
async function patched(cp, spawn, run) {
  const { prototype } = cp.ChildProcess;
  const original = prototype.spawn;
  prototype.spawn = function (options) {
    return spawn(this, options, original);
  };
  try {
    return await run();
  } finally {
    prototype.spawn = original;
  }
}

/** Starts the process, and gives the child streams that the program writes to itself. */
function withStreams(make) {
  return (child, options, original) => {
    const result = original.call(child, options);
    Object.assign(child, make(child));
    return result;
  };
}

/** A stream that brings `chunks`, and ends when the child has exited. */
function streamOf(child, ...chunks) {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  child.once('exit', () => stream.end());
  return stream;
}

const kinds = (stack) => (/\n +at /.test(stack) ? 'frames' : 'no frames');

/** What the callback of `start(callback)` is told, and the names and kinds of everything that the error has. */
function failure(t, start) {
  return new Promise((resolve) => {
    start((error, stdout, stderr) => {
      const own = Object.getOwnPropertyNames(error ?? {}).map((name) => {
        const { value, ...flags } = Object.getOwnPropertyDescriptor(error, name);
        return [name, typeof value, flags];
      });
      resolve({
        error: t.describe(error),
        own,
        stack: kinds(error?.stack),
        text: `${error}`,
        stdout: t.describe(stdout),
        stderr: t.describe(stderr),
      });
    });
  });
}

module.exports = {
  'other streams, which exec reads': (cp, t) =>
    patched(
      cp,
      withStreams((child) => ({ stdout: streamOf(child, 'from ', 'a stream'), stderr: streamOf(child, 'an error') })),
      async () => ({
        text: await collect(t, (callback) => cp.exec('echo x; sleep 0.1', callback)),
        bytes: await collect(t, (callback) => cp.exec('echo x; sleep 0.1', { encoding: 'buffer' }, callback)),
        failing: await collect(t, (callback) => cp.execFile('sh', ['-c', 'sleep 0.1; exit 3'], callback)),
      }),
    ),

  'one other stream, the other is its own': (cp, t) =>
    patched(
      cp,
      withStreams((child) => ({ stdout: streamOf(child, 'from a stream') })),
      () => collect(t, (callback) => cp.exec('echo out; echo err >&2; sleep 0.1', callback)),
    ),

  'no streams': (cp, t) =>
    patched(
      cp,
      withStreams(() => ({ stdout: null, stderr: null })),
      async () => ({
        text: await collect(t, (callback) => cp.exec('exit 3', callback)),
        bytes: await collect(t, (callback) => cp.exec('true', { encoding: 'buffer' }, callback)),
      }),
    ),

  'other streams over the limit': (cp, t) =>
    patched(
      cp,
      withStreams((child) => {
        const stdout = streamOf(child, '0123456789');
        stdout.on('close', () => t.log('closed'));
        return { stdout };
      }),
      () => collect(t, (callback) => cp.exec('exec sleep 5', { maxBuffer: 4 }, callback)),
    ),

  'what the process itself writes does not count then': (cp, t) =>
    patched(
      cp,
      withStreams((child) => ({ stdout: streamOf(child, 'abc') })),
      () => collect(t, (callback) => cp.exec('printf 0123456789; sleep 0.1', { maxBuffer: 4 }, callback)),
    ),

  'something that is not a stream': (cp, t) =>
    patched(
      cp,
      withStreams(() => ({ stdout: { on: (event) => t.log('on', event) } })),
      async () => ({
        text: t.attempt(() => cp.exec('true')).thrown?.name,
        bytes: await collect(t, (callback) => cp.exec('true', { encoding: null }, callback)),
      }),
    ),

  'the streams have been read by somebody else first': (cp, t) =>
    patched(
      cp,
      (child, options, original) => {
        const result = original.call(child, options);
        child.stdout.on('data', (chunk) => t.log('somebody else', String(chunk)));
        return result;
      },
      () => collect(t, (callback) => cp.exec('echo x', callback)),
    ),

  'nothing is started': (cp, t) =>
    patched(
      cp,
      (child) => {
        child.stdout = new PassThrough();
        child.kill = (signal) => t.log('kill', signal);
        child.stdout.end('nothing');
        setTimeout(() => child.emit('close', 0, null), 60);
      },
      async () => ({
        exec: await collect(t, (callback) => cp.exec('true', callback)),
        killed: await collect(t, (callback) => cp.exec('true', { timeout: 20, killSignal: 'SIGINT' }, callback)),
        inTime: await collect(t, (callback) => cp.exec('true', { timeout: 10_000 }, callback)),
      }),
    ),

  'nothing is started, and time or signal end it': (cp, t) =>
    t.inNewProcess(async (cp) => {
      cp.ChildProcess.prototype.spawn = function () {
        this.kill = (signal) => console.log('kill', signal);
      };
      const controller = new AbortController();
      cp.exec('true', { timeout: 30 }, () => console.log('called'));
      cp.execFile('true', { timeout: 50, killSignal: 'SIGKILL' });
      cp.spawn('true', { timeout: 70, killSignal: 'SIGINT' });
      cp.spawn('true', { signal: controller.signal });
      cp.spawn('true', { signal: AbortSignal.abort() });
      setTimeout(() => controller.abort(), 90);
      process.on('exit', () => console.log('the process ends'));
    }),

  'nothing is started, and there is no handle': (cp, t) =>
    t.inNewProcess(async (cp) => {
      cp.ChildProcess.prototype.spawn = function () {
        this._handle = null;
      };
      cp.exec('true', { timeout: 30 }, () => console.log('called'));
      cp.spawn('true', { timeout: 30 });
      cp.spawn('true', { signal: AbortSignal.abort() });
      console.log(cp.exec('true').stdout === undefined);
      process.on('exit', () => console.log('the process ends'));
    }),

  'a program that is not there, with a timeout': (cp, t) =>
    t.inNewProcess(async (cp) => {
      const kill = (name) =>
        function (signal) {
          console.log(name, 'kill', signal);
          return false;
        };
      cp.exec('true', { timeout: 300, cwd: '/nonexistent-dir' }, (error) => console.log(error.code)).kill =
        kill('exec');
      const child = cp.spawn('no-such-program', { timeout: 100 }).on('error', (error) => console.log(error.code));
      child.kill = kill('spawn');
      process.on('exit', () => console.log('the process ends'));
    }),

  'what an error is made of': async (cp, t) => ({
    stdout: await failure(t, (callback) => cp.exec('printf 0123456789; exec sleep 5', { maxBuffer: 4 }, callback)),
    stderr: await failure(t, (callback) => cp.exec('printf 0123456789 >&2; exec sleep 5', { maxBuffer: 4 }, callback)),
    streamed: await failure(t, (callback) => {
      cp.exec('printf 0123456789; exec sleep 5', { maxBuffer: 4 }, callback).stdout.on('data', () => {});
    }),
    code: await failure(t, (callback) => cp.exec('exit 3', callback)),
    timeout: await failure(t, (callback) => cp.exec('exec sleep 5', { timeout: 40 }, callback)),
    missing: await failure(t, (callback) => cp.execFile('no-such-program', callback)),
    aborted: await failure(t, (callback) => cp.exec('exec sleep 5', { signal: AbortSignal.abort() }, callback)),
  }),

  'an error that the program emits between exit and close': async (cp, t) => {
    const emitting = (error) => ({
      touch: (child) => child.once('exit', () => t.log(t.attempt(() => child.emit('error', error)))),
    });
    return {
      success: await collect(t, (callback) => cp.exec('echo x', callback), emitting(new EvalError('emitted'))),
      failure: await collect(t, (callback) => cp.exec('echo x; exit 3', callback), emitting(new EvalError('emitted'))),
      object: await collect(t, (callback) => cp.exec('echo x', callback), emitting({ an: 'object' })),
      frozen: await collect(t, (callback) => cp.exec('echo x', callback), {
        ...emitting(Object.freeze(new Error('frozen'))),
        callback: false,
      }),
      text: await collect(t, (callback) => cp.exec('echo x', callback), { ...emitting('a string'), callback: false }),
      number: await collect(t, (callback) => cp.exec('echo x', callback), { ...emitting(7), callback: false }),
      empty: await collect(t, (callback) => cp.exec('echo x', callback), emitting('')),
      nothing: await collect(t, (callback) => cp.exec('echo x', callback), emitting(undefined)),
      withoutCallback: await collect(t, () => cp.exec('echo x'), { ...emitting('a string'), callback: false }),
    };
  },

  'an error that the program emits at once': async (cp, t) => {
    const emitting = (error) => ({
      touch: (child) => t.log(t.attempt(() => child.emit('error', error))),
    });
    return {
      error: await collect(t, (callback) => cp.exec('sleep 0.1', callback), emitting(new EvalError('emitted'))),
      text: await collect(t, (callback) => cp.exec('sleep 0.1', callback), {
        ...emitting('a string'),
        callback: false,
      }),
      nothing: await collect(t, (callback) => cp.exec('sleep 0.1', callback), emitting(null)),
    };
  },

  'a close that the program emits between exit and close': (cp, t) =>
    collect(t, (callback) => cp.exec('echo x', callback), {
      events: false,
      touch: (child) => child.once('exit', () => child.emit('close', 5, null)),
    }),

  'a kill that looks at the streams is called once': async (cp, t) => {
    const looking = {
      touch: (child) => {
        const { kill } = child;
        child.kill = function (signal) {
          t.log('kill', signal, this.stdout.destroyed, this.stderr.destroyed, this.killed);
          this.stdout.on('data', () => t.log('data'));
          this.stderr.on('data', () => t.log('data'));
          return kill.call(this, signal);
        };
      },
    };
    return {
      maxBuffer: await collect(
        t,
        (callback) => cp.exec('printf 01234; exec sleep 5', { maxBuffer: 4 }, callback),
        looking,
      ),
      timeout: await collect(
        t,
        (callback) => cp.exec('printf 01234; exec sleep 5', { timeout: 250 }, callback),
        looking,
      ),
    };
  },

  'a kill that does nothing': async (cp, t) => {
    const idle = { touch: (child) => (child.kill = (signal) => t.log('kill', signal)) };
    return {
      maxBuffer: await collect(
        t,
        (callback) => cp.exec('printf 01234; exec sleep 0.3', { maxBuffer: 4 }, callback),
        idle,
      ),
      timeout: await collect(
        t,
        (callback) => cp.exec('printf 01234; exec sleep 0.4', { timeout: 200 }, callback),
        idle,
      ),
    };
  },

  'an emitter in the place of a stream': (cp, t) =>
    patched(
      cp,
      withStreams((child) => {
        const stdout = new EventEmitter();
        stdout.setEncoding = (encoding) => t.log('setEncoding', encoding);
        stdout.destroy = () => t.log('destroy');
        child.once('exit', () => stdout.emit('data', 'abc'));
        return { stdout };
      }),
      () => collect(t, (callback) => cp.exec('exit 2', callback)),
    ),
};
