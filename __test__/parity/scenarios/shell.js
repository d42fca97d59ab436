'use strict';

// options.shell: one command line, given to a shell with -c.

module.exports = {
  'true is /bin/sh': async (cp, t) => {
    const child = cp.spawn('echo "$0"; cat /proc/$$/cmdline', { shell: true });
    const { spawnfile, spawnargs } = child;
    return { spawnfile, spawnargs, recorded: await t.record(child) };
  },

  'a path is that shell': async (cp, t) => {
    const child = cp.spawn('echo "$BASH_VERSION" | wc -w', { shell: '/bin/bash' });
    const { spawnfile, spawnargs } = child;
    return { spawnfile, spawnargs, recorded: await t.record(child) };
  },

  'a name is looked up': (cp, t) => t.outcome(() => cp.spawn('echo hello', { shell: 'bash' })),

  'false and an empty string are no shell': async (cp, t) => ({
    false: await t.outcome(() => cp.spawn('echo', ['$HOME'], { shell: false })),
    empty: await t.outcome(() => cp.spawn('echo', ['$HOME'], { shell: '' })),
  }),

  'a shell that is not there': async (cp, t) => ({
    path: await t.outcome(() => cp.spawn('echo', { shell: '/nonexistent-shell' })),
    name: await t.outcome(() => cp.spawn('echo', { shell: 'no-such-shell' })),
    directory: await t.outcome(() => cp.spawn('echo', { shell: '/usr' })),
    nul: await t.outcome(() => cp.spawn('echo', { shell: '/bin/sh\0x' })),
  }),

  'a command that is not there': (cp, t) => t.outcome(() => cp.spawn('no-such-program', { shell: true })),

  'pipes, variables, quotes': (cp, t) =>
    t.outcome(() =>
      cp.spawn('echo "$GREETING" | tr a-z A-Z; exit 3', {
        shell: true,
        env: { GREETING: 'hello', PATH: '/usr/bin:/bin' },
      }),
    ),

  'PATH is of no matter for /bin/sh': (cp, t) =>
    t.outcome(() => cp.spawn('echo found', { shell: true, env: { PATH: '/none' } })),

  'cwd and shell': (cp, t) => t.outcome(() => cp.spawn('pwd', { shell: true, cwd: '/usr' })),

  'arguments are joined to the command, with the warning of this Node': {
    alone: true,
    run: async (cp, t) => {
      const child = cp.spawn('echo', ['a', 'b c', '$HOME', '"q"'], { shell: true });
      const { spawnargs } = child;
      const first = await t.record(child);
      const second = await t.outcome(() => cp.spawn('echo', ['again'], { shell: true }));
      return { spawnargs, first, second };
    },
  },

  'an empty array of arguments is no reason for a warning': {
    alone: true,
    run: async (cp, t) => ({
      empty: await t.outcome(() => cp.spawn('echo x', [], { shell: true })),
      noShell: await t.outcome(() => cp.spawn('echo', ['x'], { shell: false })),
    }),
  },

  'the warning comes before a later error': {
    alone: true,
    run: async (cp, t) => ({
      env: t.attempt(() => cp.spawn('echo', ['x'], { shell: true, env: { A: '\0' } })),
      next: await t.outcome(() => cp.spawn('echo', ['x'], { shell: true })),
    }),
  },

  'no warning when deprecations are silenced, an exception when they throw': async (cp, t) => ({
    silenced: await t.inNewProcess((cp, t) => t.outcome(() => cp.spawn('echo', ['x'], { shell: true })), {
      execArgv: ['--no-deprecation'],
    }),
    thrown: await t.inNewProcess(
      (cp, t) => {
        process.on('uncaughtException', (error) => t.log('uncaught', error.name, error.code, error.message));
        return t.outcome(() => cp.spawn('echo', ['x'], { shell: true }));
      },
      { execArgv: ['--throw-deprecation'] },
    ),
  }),

  'arguments that are not strings are joined too': {
    alone: true,
    run: async (cp, t) => ({
      numbers: await t.outcome(() => cp.spawn('echo', [1, null, undefined, true, [2, 3]], { shell: true })),
      symbol: await t.outcome(() => cp.spawn('echo', [Symbol('s')], { shell: true })),
    }),
  },

  'a command with line breaks and text beyond ASCII': (cp, t) =>
    t.outcome(() => cp.spawn('echo ä\necho \u{1F600}\n', { shell: true })),
};
