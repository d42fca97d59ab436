'use strict';

// Coverage tools, Electron and tracers hook into the builtin; their hooks see the children of ours.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('ava');

const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const at = (name) => JSON.stringify(path.join(path.dirname(OURS), name));
const REGISTER = `require(${at('register')});`;
const BUILTIN = "const cp = require('child_process');";
const PACKAGE = `const cp = require(${JSON.stringify(OURS)});`;
const NAMES = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'];

// As nyc (process-on-spawn) and spawn-wrap do it.
const HOOK = `
  for (const owner of [require('child_process').ChildProcess.prototype, process.binding('spawn_sync')]) {
    const { spawn } = owner;
    owner.spawn = function (options) {
      options.envPairs.push('SEEN=by the hook');
      return spawn.call(this, options);
    };
  }`;

// As Electron does it.
const ELECTRON = `
  {
    const builtin = require('child_process');
    const { fork } = builtin;
    builtin.fork = (modulePath, args, options) => {
      return fork(modulePath, args, { ...options, env: { ...options.env, SEEN: 'by Electron' } });
    };
  }`;

// By name of the function, what the child of each was given.
const LAUNCH = `
  const env = { PATH: process.env.PATH };
  const [, forked] = process.argv;
  const command = '"' + process.execPath + '" ' + forked;
  const outputOf = (child) => new Promise((resolve) => {
    if (!(child instanceof cp.ChildProcess)) resolve('no ChildProcess');
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; }).on('end', () => resolve(text));
  });
  const gather = (start) => new Promise((resolve) => start((error, stdout) => resolve(error ? error.message : stdout)));
  async function launch() {
    return {
      exec: await gather((callback) => cp.exec(command, { env }, callback)),
      execFile: await gather((callback) => cp.execFile(process.execPath, [forked], { env }, callback)),
      execFileSync: String(cp.execFileSync(process.execPath, [forked], { env })),
      execSync: String(cp.execSync(command, { env })),
      fork: await outputOf(cp.fork(forked, [], { env, silent: true })),
      spawn: await outputOf(cp.spawn(process.execPath, [forked], { env })),
      spawnSync: String(cp.spawnSync(process.execPath, [forked], { env }).stdout),
    };
  }
  launch().then((seen) => console.log(JSON.stringify(seen)));`;

/** What a program of these parts prints. */
async function printed(t, parts, args = []) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hooked-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const forked = path.join(dir, 'forked.js');
  fs.writeFileSync(forked, 'console.log(process.env.SEEN)');
  const { stdout, stderr } = await runNode([...args, '-e', parts.join('\n'), forked]);
  t.is(stderr, '');
  return JSON.parse(stdout);
}

const all = (value) => Object.fromEntries(NAMES.map((name) => [name, `${value}\n`]));

const orders = {
  'put there before register': [HOOK, REGISTER, BUILTIN],
  'put there after register': [REGISTER, HOOK, BUILTIN],
  'with the package, put there before': [HOOK, PACKAGE],
  'with the package, put there after': [PACKAGE, HOOK],
};

for (const [order, parts] of Object.entries(orders)) {
  test(`a hook in what the builtin calls sees every child, ${order}`, async (t) => {
    t.deepEqual(await printed(t, [...parts, LAUNCH]), all('by the hook'));
  });

  test(`a hook in what the builtin calls sees the commands of the promises, ${order}`, async (t) => {
    const script = `
      const { exec, execFile } = require(${at('promises')});
      const env = { PATH: process.env.PATH };
      (async () => {
        const whole = await execFile('sh', ['-c', 'cat; echo $SEEN'], { env, input: 'text ' });
        const { stdout, stderr, exitCode, signal, resourceUsage, durationMs } = whole;
        const result = { stdout, stderr, exitCode, signal, resourceUsage };
        const told = ({ code, exitCode, stdout }) => ({ code, exitCode, stdout });
        const failed = await exec('echo $SEEN; exit 3', { env }).catch(told);
        const missing = await execFile('/none', [], { env }).catch(told);
        console.log(JSON.stringify([result, failed, missing, durationMs > 0]));
      })();`;
    const result = { stdout: 'text by the hook', stderr: '', exitCode: 0, signal: null, resourceUsage: null };
    const failed = { exitCode: 3, stdout: 'by the hook' };
    const missing = { code: 'ENOENT', exitCode: null, stdout: '' };
    t.deepEqual(await printed(t, [...parts, script]), [result, failed, missing, true]);
  });
}

for (const [how, parts] of Object.entries({ register: [REGISTER, BUILTIN], 'the package': [PACKAGE] })) {
  test(`a function put in the place of the builtin's, as Electron does, is called by ${how}`, async (t) => {
    t.deepEqual(await printed(t, [ELECTRON, ...parts, LAUNCH]), { ...all('undefined'), fork: 'by Electron\n' });
  });
}

// By the handle of a child, who has started it.
const IS_OURS = `
  const isOurs = (spawn) => {
    const { constructor } = spawn('true', { stdio: 'ignore' })._handle;
    return constructor !== builtinHandle;
  };`;
const BUILTIN_HANDLE = "const builtinHandle = new (require('child_process').ChildProcess)()._handle.constructor;";

test('once a hook is gone, children are started natively again', async (t) => {
  const script = `
    const { prototype } = require('child_process').ChildProcess;
    const { spawn } = prototype;
    const found = [isOurs(cp.spawn)];
    prototype.spawn = function (options) { return spawn.call(this, options); };
    found.push(isOurs(cp.spawn));
    prototype.spawn = spawn;
    found.push(isOurs(cp.spawn));
    console.log(JSON.stringify(found));`;
  t.deepEqual(await printed(t, [BUILTIN_HANDLE, PACKAGE, IS_OURS, script]), [true, false, true]);
});

// What a second copy of the package finds, as jest loads one for each file of tests.
const AGAIN = 'for (const file of Object.keys(require.cache)) delete require.cache[file];';

const innocent = {
  'nobody has done anything': [PACKAGE],
  'register is there': [REGISTER, PACKAGE],
  'another copy has been registered': [REGISTER, AGAIN, REGISTER, PACKAGE],
  'a test has replaced functions under register': [
    REGISTER,
    "Object.assign(require('child_process'), { spawn() {}, exec() {}, fork() {} });",
    PACKAGE,
  ],
  'a test has replaced functions of the builtin later': [
    PACKAGE,
    "Object.assign(require('child_process'), { spawn() {}, exec() {}, fork() {} });",
  ],
};
if (process.getBuiltinModule) {
  const mock = `
    const Module = require('node:module');
    const load = Module._load;
    const mock = Object.fromEntries(${JSON.stringify(NAMES)}.map((name) => [name, () => {}]));
    mock.ChildProcess = class { spawn() {} };
    Module._load = function (request, ...rest) {
      return /^(node:)?child_process$/.test(request) ? mock : load.call(this, request, ...rest);
    };`;
  innocent['a test has mocked the module'] = [mock, PACKAGE];
}

for (const [what, parts] of Object.entries(innocent)) {
  test(`no hook is seen where ${what}`, async (t) => {
    const script = `
      process.binding = () => { throw new Error('looked at'); };
      const own = require(${at('lib/calls')}).functions;
      const names = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawnSync'];
      const isKept = names.filter((name) => cp[name] !== own[name]);
      const { stdout } = cp.spawnSync('echo', ['text']);
      const { isHooked } = require(${at('lib/builtin/originals')});
      console.log(JSON.stringify([isHooked(), isOurs(cp.spawn), isKept, String(stdout)]));`;
    t.deepEqual(await printed(t, [BUILTIN_HANDLE, ...parts, IS_OURS, script], ['--pending-deprecation']), [
      false,
      true,
      [],
      'text\n',
    ]);
  });
}

test('a subscriber of the channel child_process is told of the commands of the promises', async (t) => {
  const script = `
    const { execFile } = require(${at('promises')});
    const seen = [];
    require('node:diagnostics_channel').subscribe('child_process', ({ process: child }) => {
      seen.push(child instanceof cp.ChildProcess);
    });
    execFile('true').then(() => console.log(JSON.stringify(seen)));`;
  t.deepEqual(await printed(t, [PACKAGE, script]), [true]);
});

test('a program may put our functions in the place of the builtin itself, and patch them', async (t) => {
  const script = `
    const ours = require(${at('index')});
    const builtin = Object.assign(require('child_process'), ours);
    const { prototype } = builtin.ChildProcess;
    const { spawn } = prototype;
    prototype.spawn = function (options) { return spawn.call(this, options); };
    const text = String(builtin.spawnSync('echo', ['text']).stdout);
    builtin.exec('echo more', (error, stdout) => console.log(JSON.stringify([text, error, stdout])));`;
  t.deepEqual(await printed(t, [script]), ['text\n', null, 'more\n']);
});
