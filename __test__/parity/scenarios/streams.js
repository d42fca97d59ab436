'use strict';

// Data through the streams of a child: much of it, late, early, cut off.

const { createHash, randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { pipeline } = require('node:stream/promises');
const { PassThrough } = require('node:stream');

const MB = 1 << 20;

const sha1 = (bytes) => createHash('sha1').update(bytes).digest('hex');

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

module.exports = {
  '5 MB in and out again': async (cp, t) => {
    const bytes = randomBytes(5 * MB);
    const child = cp.spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
    const recorded = t.record(child, { streams: false });
    const collected = collect(child.stdout);
    child.stdin.end(bytes);
    return { same: sha1(await collected) === sha1(bytes), recorded: await recorded };
  },

  '5 MB of output': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', `yes 'a line of output' | head -c ${5 * MB}`]);
    return t.record(child);
  },

  '5 MB on stderr': (cp, t) =>
    t.outcome(() => cp.spawn('sh', ['-c', `yes 'a line of errors' | head -c ${5 * MB} >&2`])),

  'many small writes arrive in order': async (cp, t) => {
    const child = cp.spawn('cat');
    const recorded = t.record(child);
    for (let i = 0; i < 2000; i++) child.stdin.write(`${i}\n`);
    child.stdin.end();
    return recorded;
  },

  'write callbacks, drain, finish': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'sleep 0.05; cat > /dev/null']);
    const recorded = t.record(child);
    const accepted = child.stdin.write(Buffer.alloc(MB), () => t.log('written'));
    child.stdin.once('drain', () => {
      t.log('drain');
      child.stdin.end(() => t.log('ended'));
    });
    return { accepted, recorded: await recorded };
  },

  'outputs end before the exit is told, however they are read': async (cp) => {
    const readers = {
      data: (stream) => stream.resume(),
      readable: (stream) =>
        stream.on('readable', () => {
          while (stream.read() !== null);
        }),
      iterated: (stream) => {
        collect(stream);
      },
      piped: (stream) => {
        stream.pipe(new PassThrough()).resume();
      },
    };
    const orders = {};
    for (const [name, read] of Object.entries(readers)) {
      const order = (orders[name] = []);
      // What comes last is read together with the end.
      const child = cp.spawn('sh', ['-c', 'echo first; sleep 0.01; echo last']);
      child.stdout.once('end', () => order.push('end'));
      child.once('exit', () => order.push('exit'));
      read(child.stdout);
      await once(child, 'close');
    }
    return orders;
  },

  'a signal that both get is told before it ends the child': async (cp) => {
    const orders = [];
    for (const stdio of ['ignore', 'inherit', 'pipe']) {
      const order = [];
      const told = new Promise((resolve) => {
        process.once('SIGUSR2', () => resolve(order.push('told')));
      });
      const child = cp.spawn('sleep', ['9'], { stdio });
      const ended = once(child, 'exit').then(([, signal]) => order.push(signal));
      await once(child, 'spawn');
      process.kill(process.pid, 'SIGUSR2');
      child.kill('SIGUSR2');
      await Promise.all([told, ended]);
      orders.push(order);
    }
    return orders;
  },

  'an empty stdin': async (cp, t) => {
    const child = cp.spawn('wc', ['-c']);
    const recorded = t.record(child);
    child.stdin.end();
    return recorded;
  },

  'a child that does not read its stdin': async (cp, t) => {
    const child = cp.spawn('true');
    const errors = [];
    child.stdin.on('error', (error) => errors.push(error.code));
    const recorded = t.record(child, { streams: false });
    await recorded;
    child.stdin.write('nobody reads this', (error) => t.log('written', error?.code));
    await t.sleep(20);
    return { recorded: await recorded, errors, destroyed: child.stdin.destroyed };
  },

  'stdin closed by the child': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'exec 0<&-; echo closed; sleep 0.2']);
    const errors = [];
    child.stdin.on('error', (error) => errors.push([error.code, error.syscall, error.message]));
    const recorded = t.record(child, { streams: false });
    await once(child.stdout, 'data');
    child.stdin.write('x');
    return { recorded: await recorded, errors };
  },

  'stdin after the end of the child': async (cp, t) => {
    const child = cp.spawn('true');
    await t.record(child);
    return {
      destroyed: child.stdin.destroyed,
      writable: child.stdin.writable,
      wrote: t.attempt(() => {
        child.stdin.on('error', () => {});
        return child.stdin.write('x');
      }),
    };
  },

  'setEncoding': async (cp, t) => {
    const child = cp.spawn('printf', ['ä\u{1F600}x']);
    child.stdout.setEncoding('utf8');
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    const recorded = await t.record(child, { streams: false });
    return { text, encoding: child.stdout.readableEncoding, recorded };
  },

  'pipe and pipeline between children': async (cp, t) => {
    const writer = cp.spawn('printf', ['c\\nb\\na\\n']);
    const sorter = cp.spawn('sort');
    const recorded = [t.record(writer, { streams: false }), t.record(sorter)];
    writer.stdout.pipe(sorter.stdin);
    const [written, sorted] = await Promise.all(recorded);
    const through = new PassThrough();
    const another = cp.spawn('echo', ['through a pipeline']);
    const [text] = await Promise.all([collect(through), pipeline(another.stdout, through)]);
    return { written, sorted, text: String(text) };
  },

  'async iteration': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'echo one; echo two']);
    const closed = t.record(child, { streams: false });
    return { text: String(await collect(child.stdout)), closed: await closed };
  },

  'pause and resume': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'for i in 1 2 3; do echo $i; sleep 0.02; done']);
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.stdout.pause();
    const order = [];
    child.on('exit', () => {
      order.push(['exit', text]);
      child.stdout.resume();
    });
    child.on('close', () => order.push(['close', text]));
    await once(child, 'close');
    void t;
    return order;
  },

  'read() without flowing': async (cp, t) => {
    const child = cp.spawn('printf', ['0123456789']);
    const parts = [];
    child.stdout.on('readable', () => {
      for (let part; (part = child.stdout.read(4)) !== null;) parts.push(String(part));
    });
    const recorded = await t.record(child, { streams: false });
    return { text: parts.join(''), recorded };
  },

  'stdout destroyed while the child still writes': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'trap "" PIPE; while echo x; do :; done 2>/dev/null; exit 4']);
    const recorded = t.record(child, { streams: false });
    child.stdout.once('data', () => child.stdout.destroy());
    return recorded;
  },

  'stdout destroyed with an error': async (cp, t) => {
    const child = cp.spawn('sleep', ['0.1']);
    const recorded = t.record(child);
    child.stdout.destroy(new RangeError('enough'));
    return recorded;
  },

  'stdin destroyed': async (cp, t) => {
    const child = cp.spawn('cat');
    const recorded = t.record(child);
    child.stdin.destroy();
    return recorded;
  },

  'output that a grandchild writes after the child ended': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', '(sleep 0.2; echo from the grandchild) & echo from the child']);
    const order = [];
    child.on('exit', () => order.push('exit'));
    child.stdout.on('end', () => order.push('end of stdout'));
    child.on('close', () => order.push('close'));
    return { recorded: await t.record(child), order };
  },

  'output that waits in the pipe when the child is gone is all there': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'head -c 50000 /dev/zero']);
    let length = 0;
    child.on('exit', () =>
      child.stdout.on('data', (data) => {
        length += data.length;
      }),
    );
    const recorded = await t.record(child, { streams: false });
    return { recorded, length };
  },

  'output split between stdout and stderr': (cp, t) =>
    t.outcome(() => cp.spawn('sh', ['-c', 'for i in 1 2 3; do echo out$i; echo err$i >&2; done'])),

  'binary output': (cp, t) => t.outcome(() => cp.spawn('printf', ['\\000\\001\\377\\200'])),

  'the child’s streams are sockets that it may write to as it likes': (cp, t) =>
    t.outcome(() => cp.spawn('bash', ['-c', 'echo one > /dev/fd/1; echo two >&1; cat < /dev/null'])),

  'stdin is blocking for the child': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'read a; read b; echo "$a-$b"']);
    const recorded = t.record(child);
    child.stdin.write('first\n');
    setTimeout(() => child.stdin.end('second\n'), 50);
    return recorded;
  },

  'cork and uncork': async (cp, t) => {
    const child = cp.spawn('cat');
    const recorded = t.record(child);
    child.stdin.cork();
    child.stdin.write('a');
    child.stdin.write('b');
    child.stdin.uncork();
    child.stdin.end('c');
    return recorded;
  },

  'strings in other encodings, typed arrays': async (cp, t) => {
    const child = cp.spawn('cat');
    const recorded = t.record(child);
    child.stdin.write('ä', 'latin1');
    child.stdin.write('616263', 'hex');
    child.stdin.write(new Uint8Array([120, 121]));
    child.stdin.end('ä', 'utf16le');
    return recorded;
  },

  'bytesRead and bytesWritten': async (cp, t) => {
    const child = cp.spawn('cat');
    const recorded = t.record(child);
    child.stdin.end('0123456789');
    await recorded;
    return { read: child.stdout.bytesRead, written: child.stdin.bytesWritten };
  },
};
