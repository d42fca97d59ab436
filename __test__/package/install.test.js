'use strict';

// The package installed by npm into an empty project, on every Node that is supported, with and without the platform's
// package, with and without cargo.

const test = require('ava');
const fs = require('node:fs');
const path = require('node:path');

const { MAIN, PLATFORM, installs, nodes, publish } = require('./helpers/published');
const { smoke } = require('./helpers/smoke');

const SUPPORTED = ['20', '22', '24', '26'];

const published = publish(test);

for (const major of SUPPORTED) {
  for (const cargo of ['none', 'fake']) {
    test(`Node ${major}, cargo: ${cargo}: npm brings the platform's package, and nothing is compiled`, async (t) => {
      const made = published.machine(t, { node: nodes[major], cargo });
      await installs(t, made, MAIN);
      t.deepEqual(made.installedPackages(), [MAIN, PLATFORM]);
      await smoke(t, made);
      t.false(made.cargoWasCalled);
    });
  }

  test(`Node ${major}, neither a binary nor cargo: the builtin`, async (t) => {
    const made = published.machine(t, { node: nodes[major], prebuilt: false });
    await installs(t, made, MAIN);
    await smoke(t, made, { isNative: false, before: ['--no-warnings'] });
    const { code, output } = await made.build();
    t.is(code, 1);
    t.regex(
      output,
      /^child-process-rs: no binary for \S+ is here and there is no cargo to build one: install child-process-rs-\S+@\S+ beside this package, or Rust .+\.\n$/,
    );
  });
}

for (const major of SUPPORTED) {
  for (const manager of ['pnpm', 'yarn']) {
    test(`Node ${major}: ${manager} brings the platform's package, says nothing alarming, and it works`, async (t) => {
      const made = published.machine(t, { node: nodes[major], cargo: 'fake' });
      const { code, output } = await made.add(manager, MAIN);
      t.is(code, 0, output);
      t.notRegex(output, /warn|error|approve|script/i);
      await smoke(t, made);
      t.false(made.cargoWasCalled);
    });
  }

  test(`Node ${major}: Yarn's Plug'n'Play finds the binary`, async (t) => {
    const made = published.machine(t, { node: nodes[major], cargo: 'fake' });
    const { code, output } = await made.add('yarnBerry', MAIN);
    t.is(code, 0, output);
    const { output: printed } = await made.run('-r', './.pnp.cjs', '-p', `require('${MAIN}').isNative`);
    t.is(printed, 'true\n');
    t.false(made.cargoWasCalled);
  });
}

test('pnpm and yarn without optional dependencies: the builtin, and a warning', async (t) => {
  for (const [manager, option] of [
    ['pnpm', '--no-optional'],
    ['yarn', '--ignore-optional'],
  ]) {
    const made = published.machine(t, { node: nodes[24] });
    const { code, output } = await made.add(manager, MAIN, option);
    t.is(code, 0, output);
    const told = (await made.run('-p', `require('${MAIN}').isNative`)).output;
    t.regex(told, /^(?:false\n)?.+\[CHILD_PROCESS_RS_NO_BINARY\] Warning: .+\n.+\n(?:false\n)?$/);
  }
});

test('the two tarballs, by hand, beside each other', async (t) => {
  const made = published.machine(t, { node: nodes[24], prebuilt: false });
  await installs(t, made, published.staged[MAIN].tarball, published.staged[PLATFORM].tarball);
  await smoke(t, made);
});

test('a platform package of another version is not used', async (t) => {
  const made = published.machine(t, { node: nodes[24] });
  await installs(t, made, MAIN);
  for (const name of ['package.json', 'index.js']) {
    const file = path.join(made.installed(MAIN), name);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"?version"?: "[^"]+"/g, '"version": "0.0.1"'));
  }
  t.regex((await made.run('-e', `require('${MAIN}')`)).output, /it has no binary for/);
});

test('without the platform package cargo builds it when asked to, and not twice; every Node loads it', async (t) => {
  const made = published.machine(t, { node: nodes[20], cargo: 'real', prebuilt: false });
  await installs(t, made, MAIN);
  const built = await made.build();
  t.is(built.code, 0, built.output);
  t.deepEqual(
    fs.readdirSync(made.installed(MAIN)).filter((name) => name === 'target'),
    [],
    'what cargo needed is gone',
  );
  for (const major of SUPPORTED) await smoke(t, made, { run: (...args) => made.runBy(nodes[major], ...args) });
  t.regex((await made.build()).output, /nothing to compile/);
});

for (const [platform, arch] of [
  ['win32', 'x64'],
  ['darwin', 'arm64'],
  ['linux', 'ia32'],
  ['freebsd', 'x64'],
]) {
  test(`${platform} on ${arch} installs and has the builtin`, async (t) => {
    const made = published.machine(t, { node: nodes[24], prebuilt: false });
    const disguise = made.write(
      'disguise.cjs',
      `
      Object.defineProperty(process, 'platform', { value: '${platform}' });
      Object.defineProperty(process, 'arch', { value: '${arch}' });`,
    );
    await installs(t, made, MAIN);
    const load = `
      const { isNative, spawn } = require('${MAIN}');
      console.log(isNative, spawn === require('child_process').spawn);
      require('${MAIN}/register')`;
    t.regex(
      (await made.run('--require', disguise, '-e', load)).output,
      /^false true\n.+\[CHILD_PROCESS_RS_NO_BINARY\] Warning: .+ no binary for \w+-\w+\.\n.+\n$/,
    );
    const built = await made.run('--require', disguise, path.join(made.installed(MAIN), 'scripts/install.js'), 'build');
    t.is(built.code, 0, built.output);
    t.regex(built.output, /^child-process-rs: there is no .+, so the builtin child_process will be used\.\n$/);
  });
}
