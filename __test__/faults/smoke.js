'use strict';

// What the package is used for, once each: node smoke.js [STEP…] prints a line for each step, and says why one fails.
//
//   OURS       the package; without it, Node's own module
//   LEAK       an addon that leaves a descriptor open at exec
//   ONLY_ROOT  there are no other users
//   SESSION_REFUSED   setsid() fails
//   INHERITED  the number of a descriptor that this process was started with

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { OURS, LEAK, INHERITED } = process.env;
const cp = OURS ? require(OURS) : require('node:child_process');

const PEER = path.join(__dirname, 'peer.js');
const LIMIT_MS = 8000;
const NOBODY = 65534;
// Longer than any step may take: what has to end it ends it before.
const FOREVER = '60';
const HAS_OTHERS = process.getuid() === 0 && !process.env.ONLY_ROOT;

/** The events of a child, in order, once it has closed. */
async function eventsOf(child) {
  const events = [];
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  for (const name of ['spawn', 'error', 'exit']) child.on(name, (...values) => events.push([name, ...values]));
  await once(child, 'close');
  return { events, text };
}

const ENDED = [['spawn'], ['exit', 0, null]];

async function prints(expected, ...call) {
  const { events, text } = await eventsOf(cp.spawn(...call));
  assert.deepStrictEqual({ events, text }, { events: ENDED, text: expected });
}

function fork(options) {
  const child = cp.fork(PEER, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...options });
  return { child, closed: eventsOf(child) };
}

async function answers(options, messages) {
  const { child, closed } = fork(options);
  for (const message of messages) {
    child.send(message);
    const [answer] = await once(child, 'message');
    assert.deepStrictEqual(answer, message);
  }
  child.send('bye');
  assert.deepStrictEqual((await closed).events, ENDED);
}

/** What a Node that is started finds of the open descriptors, by `property` of their stat. */
function inChild(property, value) {
  const code = `for (let fd = 3; fd < 64; fd++) {
    try { if (fs.fstatSync(fd).${property} === ${value}) console.log(fd) } catch {}
  }`;
  return cp.execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
}

const STEPS = {
  async pipes() {
    const child = cp.spawn('sh', ['-c', 'cat; echo problem >&2; exit 3']);
    child.stdin.end('input');
    const { events, text } = await eventsOf(child);
    assert.deepStrictEqual({ events, text }, { events: [['spawn'], ['exit', 3, null]], text: 'input' });
  },
  async ignored() {
    await prints('', 'sh', ['-c', 'echo nowhere'], { stdio: ['ignore', 'ignore', 'inherit'] });
  },
  async missing() {
    const [error] = await once(cp.spawn('a-command-that-is-not-there'), 'error');
    assert.strictEqual(error.code, 'ENOENT');
  },
  async 'a file without an interpreter'() {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'smoke-'));
    const file = path.join(directory, 'script');
    fs.writeFileSync(file, 'echo run by the shell\n', { mode: 0o755 });
    try {
      await prints('run by the shell\n', file);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  },
  async 'not executable'() {
    const [error] = await once(cp.spawn(__filename), 'error');
    assert.strictEqual(error.code, 'EACCES');
  },
  async timeout() {
    const error = await new Promise((resolve) => {
      cp.exec(`exec sleep ${FOREVER}`, { timeout: 100 }, resolve);
    });
    assert.deepStrictEqual([error.killed, error.signal], [true, 'SIGTERM']);
  },
  async kill() {
    const child = cp.spawn('sleep', [FOREVER], { stdio: 'ignore' });
    const ended = eventsOf(child);
    await once(child, 'spawn');
    assert.strictEqual(child.kill(0), true);
    assert.strictEqual(child.kill('SIGINT'), true);
    assert.deepStrictEqual((await ended).events, [['spawn'], ['exit', null, 'SIGINT']]);
    assert.strictEqual(child.kill(), false);
  },
  async 'kill at once'() {
    const child = cp.spawn('sleep', [FOREVER], { stdio: 'ignore' });
    assert.strictEqual(child.kill('SIGKILL'), true);
    assert.deepStrictEqual((await eventsOf(child)).events.at(-1), ['exit', null, 'SIGKILL']);
  },
  async abort() {
    const controller = new AbortController();
    const child = cp.spawn('sleep', [FOREVER], { signal: controller.signal });
    child.on('spawn', () => controller.abort());
    const [error] = await once(child, 'error');
    assert.strictEqual(error.name, 'AbortError');
    await once(child, 'close');
    assert.strictEqual(child.signalCode, 'SIGTERM');
  },
  async 'much output'() {
    assert.strictEqual(cp.execSync('head -c 1000000 /dev/zero', { maxBuffer: 2e6 }).length, 1e6);
    const stdout = await new Promise((resolve) => {
      cp.exec('head -c 1000000 /dev/zero', { maxBuffer: 2e6 }, (error, text) => resolve(text));
    });
    assert.strictEqual(stdout.length, 1e6);
  },
  async synchronous() {
    const { status, stdout } = cp.spawnSync('sh', ['-c', 'cat; exit 3'], { input: 'input', encoding: 'utf8' });
    assert.deepStrictEqual([status, stdout], [3, 'input']);
    const late = cp.spawnSync('sleep', [FOREVER], { timeout: 100 });
    assert.deepStrictEqual([late.signal, late.error?.code], ['SIGTERM', 'ETIMEDOUT']);
  },
  async promises() {
    if (!OURS) return;
    const promises = require(`${OURS}/promises`);
    assert.strictEqual((await promises.execFile('cat', [], { input: 'input' })).stdout, 'input');
    await assert.rejects(promises.exec('exit 3'), { exitCode: 3 });
    await assert.rejects(promises.execFile('sleep', [FOREVER], { timeout: 100 }), {
      signal: 'SIGTERM',
      timedOut: true,
    });
  },
  async 'another user'() {
    if (!HAS_OTHERS) return;
    const nobody = { uid: NOBODY, gid: NOBODY };
    await prints(`${NOBODY} ${NOBODY}\n`, 'sh', ['-c', 'echo $(id -u) $(id -g)'], nobody);
  },
  async 'a directory'() {
    await prints('/\n', 'pwd', [], { cwd: '/' });
  },
  // Whether it leads a group shows to any kernel; that a sandbox refuses it a session, it survives.
  async detached() {
    const child = cp.spawn('sleep', [FOREVER], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    let leads = true;
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      leads = false;
      child.kill();
    }
    await once(child, 'exit');
    assert.strictEqual(leads, !process.env.SESSION_REFUSED);
  },
  async json() {
    await answers({}, [{ a: 1 }, 'text', { big: 'x'.repeat(1 << 20) }]);
  },
  async advanced() {
    const values = [{ date: new Date(0) }, Buffer.alloc(1 << 20, 'x'), Buffer.alloc(3 << 20, 'y')];
    await answers({ serialization: 'advanced' }, values);
  },
  async 'a builtin peer'() {
    const { child, closed } = fork({ env: { ...process.env, CHILD_PROCESS_RS_CHANNEL: 'builtin' } });
    child.send('flood');
    let count = 0;
    await new Promise((resolve) => {
      child.on('message', () => {
        if (++count === 2000) resolve();
      });
    });
    child.send('bye');
    assert.deepStrictEqual((await closed).events, ENDED);
  },
  async handles() {
    for (const serialization of ['json', 'advanced']) {
      const { child, closed } = fork({ serialization });
      const server = net.createServer((socket) => child.send('connection', socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = net.connect(server.address().port).setEncoding('utf8');
      let text = '';
      client.on('data', (data) => {
        text += data;
      });
      await Promise.all([once(client, 'close'), once(child, 'message')]);
      assert.strictEqual(text, 'hello from the peer');
      server.close();
      child.send('give');
      const [, given] = await once(child, 'message');
      given.close();
      child.send('bye');
      assert.deepStrictEqual((await closed).events, ENDED);
    }
  },
  async 'a worker'() {
    const code = `const { execFile } = require(process.env.OURS || 'child_process');
      const { parentPort } = require('worker_threads');
      execFile('echo', ['hi'], (error, text) => parentPort.postMessage(text))`;
    const [text] = await once(new Worker(code, { eval: true }), 'message');
    assert.strictEqual(text, 'hi\n');
  },
  // The builtin leaks it; ours does not.
  async 'a leak'() {
    if (!LEAK || !OURS) return;
    assert.throws(() => process.dlopen({ exports: {} }, LEAK), /self-register/);
    assert.strictEqual(inChild('rdev', fs.statSync('/dev/zero').rdev), '');
  },
  async 'an inherited descriptor'() {
    if (INHERITED) assert.strictEqual(inChild('ino', fs.fstatSync(Number(INHERITED)).ino), `${INHERITED}\n`);
  },
};

async function main() {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(STEPS);
  for (const name of names) {
    const hung = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('hung')), LIMIT_MS).unref();
    });
    // What is waited for may hold nothing that keeps the loop alive.
    const alive = setInterval(() => {}, LIMIT_MS);
    try {
      await Promise.race([STEPS[name](), hung]);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`not ok ${name}: ${error.message.replace(/\s+/g, ' ')}`);
    }
    clearInterval(alive);
  }
  process.exit(0);
}

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => console.log(`not ok, uncaught: ${error?.stack}`));
}
main();
