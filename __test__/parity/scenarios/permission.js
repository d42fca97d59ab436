'use strict';

// The permission model: without --allow-child-process nothing may be started.

const [major] = process.versions.node.split('.').map(Number);
const PERMISSION = major >= 22 ? '--permission' : '--experimental-permission';
const FLAGS = [PERMISSION, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons'];

// What is dropped later must be allowed at first.
const NET = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];

// The stderr of a process with the permission model warns about it, with its pid.
const without = ({ stderr, ...rest }) => rest;

module.exports = {
  'spawn is refused': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => ({
          good: await t.outcome(() => cp.spawn('true', ['x'])),
          missing: await t.outcome(() => cp.spawn('no-such-program')),
          ignored: await t.outcome(() => cp.spawn('true', { stdio: 'ignore' })),
          shell: await t.outcome(() => cp.spawn('true', { shell: true })),
          direct: await t.outcome(() => {
            const child = new cp.ChildProcess();
            child.spawn({ file: '/bin/true', args: ['true'] });
            return child;
          }),
          has: process.permission.has('child'),
        }),
        { execArgv: FLAGS },
      )
      .then(without),

  'what is wrong with the options is said first': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => ({
          file: t.attempt(() => cp.spawn(1)),
          cwd: t.attempt(() => cp.spawn('true', { cwd: 1 })),
          stdio: t.attempt(() => cp.spawn('true', { stdio: 'x' })),
          construct: t.attempt(() => new cp.ChildProcess()),
        }),
        { execArgv: FLAGS },
      )
      .then(without),

  'nothing is left open by a refusal': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => {
          const fs = require('node:fs');
          const first = t.attempt(() => cp.spawn('true'));
          await t.sleep(20);
          const before = fs.readdirSync('/proc/self/fd').length;
          for (let i = 0; i < 20; i++) t.attempt(() => cp.spawn('true'));
          await t.sleep(20);
          const after = fs.readdirSync('/proc/self/fd').length;
          return { first, noMore: after <= before };
        },
        { execArgv: FLAGS },
      )
      .then(without),

  'with --allow-child-process it works': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => ({
          good: await t.outcome(() => cp.spawn('echo', ['allowed'])),
          missing: await t.outcome(() => cp.spawn('no-such-program')),
        }),
        { execArgv: [...FLAGS, '--allow-child-process'] },
      )
      .then(without),

  'the flags reach the environment of a child, where this Node does that': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => ({
          inherited: await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ'])),
          own: await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ'], { env: { A: '1' } })),
          withOptions: await t.outcome(() =>
            cp.spawn('/bin/cat', ['/proc/self/environ'], { env: { NODE_OPTIONS: '--no-warnings' } }),
          ),
          explicit: await t.outcome(() =>
            cp.spawn('sh', ['-c', 'cat /proc/$$/environ', '--permission'], { env: { A: '1', PATH: '/bin' } }),
          ),
        }),
        { execArgv: [...FLAGS, '--allow-child-process'] },
      )
      .then(without),

  'a permission dropped later': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => {
          const before = await t.outcome(() => cp.spawn('true'));
          const dropped = t.attempt(
            () => typeof process.permission.drop === 'function' && process.permission.drop('child'),
          );
          return { before, dropped, after: await t.outcome(() => cp.spawn('true')) };
        },
        { execArgv: [...FLAGS, '--allow-child-process'] },
      )
      .then(without),

  'streams without the permission to use the network, where this Node knows of one': (cp, t) =>
    t
      .inNewProcess(
        async (cp, t) => {
          const script = 'cat; head -c 1000000 /dev/zero; echo err >&2; exit 3';
          const run = () => {
            const child = cp.spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
            const recorded = t.record(child);
            child.stdin.end('x'.repeat(1000000));
            return recorded;
          };
          const touched = () =>
            new Promise((resolve) => {
              const child = cp.exec('echo out; echo err >&2; exit 3', (...results) => resolve(t.describe(results)));
              child.stdout.on('data', (text) => t.log(text));
            });
          const runs = [await run(), await touched()];
          runs.push(t.attempt(() => typeof process.permission.drop === 'function' && process.permission.drop('net')));
          runs.push(await run(), await touched());
          await t.sleep(20);
          return { runs, resources: process.getActiveResourcesInfo() };
        },
        { execArgv: [...FLAGS, '--allow-child-process', ...NET] },
      )
      .then(without),
};
