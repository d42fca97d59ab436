'use strict';

// How often a call crosses from JavaScript into the addon and back: once in for each function, and once out when it has
// something to report. What a native function asks through hooks while it runs is not counted.

const test = require('ava');
const path = require('node:path');

const { valueFromNode } = require('../helpers/run-node');

const COUNT = path.join(__dirname, '../fixtures/crossings.js');

async function crossings(run) {
  const calls = await valueFromNode(['-e', `require(${JSON.stringify(COUNT)}).count(${run})`], { timeout: 60_000 });
  return calls.filter((name) => !name.startsWith('hook '));
}

/** The calls between the notes «begun» and «done» of `run`. */
async function crossingsBetween(run) {
  const calls = await crossings(run);
  return calls.slice(calls.indexOf('(begun)') + 1, calls.indexOf('(done)'));
}

test('spawn: once in, and once out at the exit', async (t) => {
  t.deepEqual(await crossings(({ cp }) => cp.spawn('true', { stdio: 'ignore' })), ['spawn', 'onexit']);
  t.deepEqual(await crossings(({ cp }) => cp.spawn('true')), ['spawn', 'onexit']);
});

test('spawn: once more for each stream that is used', async (t) => {
  const calls = await crossings(({ cp }) => {
    const { stdout, stderr } = cp.spawn('sh', ['-c', 'echo hi']);
    stdout.resume();
    stderr.resume();
  });
  t.deepEqual(calls, ['spawn', 'Process#takePipe', 'Process#takePipe', 'onexit']);
});

test("spawn: once more for a listener of 'spawn'", async (t) => {
  const calls = await crossings(({ cp }) => cp.spawn('true', { stdio: 'ignore' }).on('spawn', () => {}));
  // If the exec is not over yet, it is reported later.
  const expected = ['spawn', 'Process#awaitExec', 'onexit'];
  t.deepEqual(
    calls.filter((name) => name !== 'onspawn'),
    expected,
  );
});

test('spawn: once more to stop the timer of a timeout', async (t) => {
  const calls = await crossings(({ cp }) => cp.spawn('true', { stdio: 'ignore', timeout: 1e6 }));
  t.deepEqual(calls, ['spawn', 'onexit', 'Process#stopTimer']);
});

test('exec, execFile: once in, and once out with the outputs', async (t) => {
  t.deepEqual(await crossings(({ cp }) => cp.execFile('echo', ['hi'], () => {})), ['execFile', 'onexit']);
  t.deepEqual(await crossings(({ cp }) => cp.exec('echo hi; echo hi >&2', () => {})), ['execFile', 'onexit']);
});

test('exec: once more for the error of a command that has failed', async (t) => {
  t.deepEqual(await crossings(({ cp }) => cp.exec('exit 1', () => {})), ['execFile', 'onexit', 'Process#finish']);
});

test('fork: once in', async (t) => {
  const calls = await crossingsBetween(({ cp, child, note }) => {
    note('begun');
    const forked = cp.fork(child);
    note('done');
    forked.on('message', () => forked.send('end'));
  });
  t.deepEqual(calls, ['fork', 'onchannel']);
});

test('so does a spawn with a channel', async (t) => {
  const calls = await crossingsBetween(({ cp, child, note }) => {
    note('begun');
    const spawned = cp.spawn(process.execPath, [child], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    note('done');
    spawned.on('message', () => spawned.send('end'));
  });
  t.deepEqual(calls, ['spawn', 'onchannel']);
});

test('the end of a channel: out and in, and out again when it is closed', async (t) => {
  const calls = await crossings(({ cp, child, note }) => {
    const forked = cp.fork(child);
    forked.on('message', () => {
      forked.send('end');
      note('begun');
    });
  });
  const end = ['onEnd', 'Channel#disconnect', 'at the end of the tick', 'onDisconnect', 'onexit'];
  t.deepEqual(calls.slice(calls.indexOf('(begun)') + 1), end);
});

for (const serialization of ['json', 'advanced']) {
  /** What crosses until the answer to a message has been delivered. `send` is a source text. */
  const crossingsOf = (send) =>
    crossingsBetween(`({ cp, child, note }) => {
      const server = require('node:net').createServer().listen(0, () => {
        const forked = cp.fork(child, { serialization: '${serialization}' });
        forked.once('message', () => {
          forked.once('message', () => {
            note('done');
            server.close();
            forked.send('end');
          });
          note('begun');
          (${send})(forked, server);
        });
      });
    }`);

  test(`send: once in, and once out with the answer (${serialization})`, async (t) => {
    t.deepEqual(await crossingsOf((forked) => forked.send({ an: 'object' })), ['sendPrepared', 'onMessages']);
    t.deepEqual(await crossingsOf((forked) => forked.send('text')), ['sendValue', 'onMessages']);
    t.deepEqual(await crossingsOf((forked) => forked.send('text', () => {})), ['sendValue', 'onMessages']);
    t.deepEqual(await crossingsOf((forked, server) => forked.send('handle', server)), ['Channel#send', 'onMessages']);
  });

  test(`send: once more at the end of a tick that is not a delivery of messages (${serialization})`, async (t) => {
    const calls = await crossingsOf((forked) =>
      setImmediate(() => {
        forked.send({ an: 'object' });
        forked.send('text');
      }),
    );
    t.deepEqual(calls, ['sendPrepared', 'sendValue', 'at the end of the tick', 'onMessages']);
  });
}

test('spawnSync, execFileSync, execSync: once in', async (t) => {
  t.deepEqual(await crossings(({ cp }) => cp.spawnSync('true')), ['spawnSync']);
  t.deepEqual(await crossings(({ cp }) => cp.execFileSync('true')), ['execFileSync']);
  t.deepEqual(await crossings(({ cp }) => cp.execSync('true')), ['execSync']);
});

test('the promise functions: once in, once out, and once for the resources', async (t) => {
  const succeeding = await crossings(({ promises }) => promises.execFile('true'));
  t.deepEqual(succeeding, ['capture', 'onexit', 'Process#resourceUsage']);
  const failing = await crossings(({ promises }) => promises.exec('exit 1').catch(() => {}));
  t.deepEqual(failing, ['capture', 'onexit', 'Process#finish', 'Process#resourceUsage']);
});
