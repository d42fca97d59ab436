'use strict';

// What a newcomer is told where the addon cannot be used: one sentence that says what happened and what to do.

const test = require('ava');
const fs = require('node:fs');
const path = require('node:path');

const { MAIN, PLATFORM, bun, deno, installs, nodes, publish } = require('./helpers/published');
const { smoke } = require('./helpers/smoke');

const published = publish(test);

const ENTRIES = [MAIN, `${MAIN}/promises`, `${MAIN}/register`];
// `register` waits for the first call.
const TELL = (name) => `
  try {
    require('${name}'); require('child_process').execFileSync('true'); console.log('loaded')
  } catch (error) { console.log(error.message) }`;

async function installed(t, settings) {
  const machine = published.machine(t, { node: nodes[24], ...settings });
  await installs(t, machine, MAIN, '--ignore-scripts');
  return machine;
}

function binaryOf(machine) {
  const [name] = fs.readdirSync(machine.installed(PLATFORM)).filter((file) => file.endsWith('.node'));
  return path.join(machine.installed(PLATFORM), name);
}

for (const major of ['12', '18']) {
  test(`Node ${major} is too old, at every entry point`, async (t) => {
    const machine = await installed(t);
    const sentence = new RegExp(
      `^child-process-rs needs Node 20 or newer, and this is Node ${major}[.\\d]+: please update Node\\.\\n$`,
    );
    for (const name of ENTRIES) t.regex((await machine.runBy(nodes[major], '-e', TELL(name))).output, sentence);
    const { code, output } = await machine.runBy(
      nodes[major],
      path.join(machine.installed(MAIN), 'scripts/install.js'),
      'build',
    );
    t.is(code, 1);
    t.regex(output, sentence);
  });
}

test('a binary that needs a newer glibc', async (t) => {
  const machine = await installed(t);
  const file = binaryOf(machine);
  const bytes = fs.readFileSync(file);
  const needed = bytes.indexOf('GLIBC_2.');
  t.not(needed, -1);
  bytes.write('GLIBC_9.', needed, 'latin1');
  fs.writeFileSync(file, bytes);
  for (const name of ENTRIES) {
    t.regex(
      (await machine.run('-e', TELL(name))).output,
      /^child-process-rs cannot load \S+ \(it needs glibc 9\.[.\d]+ and this system has 2\.[.\d]+\): with a Rust toolchain installed, run `npx child-process-rs build` to build one that fits\.\n$/,
    );
  }
});

test('a binary that is empty, or none', async (t) => {
  const machine = await installed(t);
  const file = binaryOf(machine);
  for (const text of ['', 'made elsewhere']) {
    fs.writeFileSync(file, text);
    t.regex(
      (await machine.run('-e', TELL(MAIN))).output,
      /^child-process-rs cannot load \S+ \([^\n()]+\): with a Rust toolchain installed, run `npx child-process-rs build` to build one that fits\.\n$/,
    );
  }
});

test('a variable that names no binary', async (t) => {
  const machine = await installed(t);
  machine.env.CHILD_PROCESS_RS_BINARY = '/nowhere.node';
  t.regex(
    (await machine.run('-e', TELL(MAIN))).output,
    /^child-process-rs cannot load \/nowhere\.node \([^\n]+\): correct or unset CHILD_PROCESS_RS_BINARY, which names it\.\n$/,
  );
});

test('without a binary the builtin serves, at each entry point, and says so once in a process', async (t) => {
  const machine = await installed(t, { prebuilt: false });
  const told =
    /^(?:false\n)?\(node:\d+\) \[CHILD_PROCESS_RS_NO_BINARY\] Warning: child-process-rs uses Node's own child_process, for it has no binary for \S+: install child-process-rs-\S+@\S+, which holds one, or, with a Rust toolchain installed, run `npx child-process-rs build` to build one that fits\.\n\(Use `node --trace-warnings [^\n]+\n(?:false\n)?$/;
  const program = `
    console.log(require('${MAIN}').isNative);
    require('${MAIN}/register');
    new (require('worker_threads').Worker)("require('${MAIN}')", { eval: true })`;
  t.regex((await machine.run('-e', program)).output, told);
  t.regex((await machine.run('--require', `${MAIN}/register`, '-p', `require('${MAIN}').isNative`)).output, told);
  t.regex(
    (await machine.run(machine.write('app.mjs', `import { isNative } from '${MAIN}'; console.log(isNative)`))).output,
    told,
  );
  const silent = await machine.run('--disable-warning=CHILD_PROCESS_RS_NO_BINARY', '-p', `require('${MAIN}').isNative`);
  t.is(silent.output, 'false\n');
  t.is((await machine.run('--no-warnings', '-e', TELL(`${MAIN}/promises`))).output, 'loaded\n');
});

const FORBIDDEN = [
  ['--no-addons'],
  ['--permission', '--no-warnings', '--allow-fs-read=*', '--allow-child-process', '--allow-worker'],
];
for (const flags of FORBIDDEN) {
  test(`where Node may not load addons, the builtin: ${flags[0]}`, async (t) => {
    const machine = await installed(t);
    t.is((await machine.run(...flags, '-p', `require('${MAIN}').isNative`)).output, 'false\n');
    t.is((await machine.run(...flags, '-e', TELL(`${MAIN}/promises`))).output, 'loaded\n');
  });
}

for (const [name, binary, before] of [
  ['Bun', bun, []],
  ['Deno', deno, ['run', '-A']],
]) {
  test(`under ${name}, the builtin`, async (t) => {
    const machine = await installed(t);
    const run = (...args) => machine.runBy(binary, ...before, ...args);
    await smoke(t, machine, { isNative: false, run });
  });
}

test('under Deno a linked package has its named exports', async (t) => {
  const machine = await installed(t);
  const linked = path.join(machine.dir, 'linked');
  fs.renameSync(machine.installed(MAIN), linked);
  fs.symlinkSync(linked, machine.installed(MAIN));
  const file = machine.write(
    'app.mjs',
    `import { isNative, spawnSync } from '${MAIN}'; console.log(isNative, typeof spawnSync)`,
  );
  t.is((await machine.runBy(deno, 'run', '-A', '--node-modules-dir=manual', file)).output, 'false function\n');
});
