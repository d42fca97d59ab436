'use strict';

// Which file a name stands for, and what is said when it stands for none.

const fs = require('node:fs');
const path = require('node:path');

const HELLO = '#!/bin/sh\necho "hello from $0"\n';

function spawnWithPath(cp, t, name, searchPath, options = {}) {
  return t.outcome(() => cp.spawn(name, ['one', 'two'], { env: { PATH: searchPath }, ...options }));
}

module.exports = {
  'a name that is nowhere': (cp, t) => t.outcome(() => cp.spawn('no-such-program', ['a', 'b'])),

  'a name that is nowhere, stdio ignored': (cp, t) => t.outcome(() => cp.spawn('no-such-program', { stdio: 'ignore' })),

  'a path that is nowhere': async (cp, t) => ({
    absolute: await t.outcome(() => cp.spawn('/no/such/program', ['a'])),
    relative: await t.outcome(() => cp.spawn('./no-such-program')),
    parent: await t.outcome(() => cp.spawn('../no-such-program')),
    slashAtTheEnd: await t.outcome(() => cp.spawn('/bin/true/')),
  }),

  'a file that may not be executed': async (cp, t) => {
    const file = t.file('plain', HELLO, 0o644);
    return {
      absolute: await t.outcome(() => cp.spawn(file)),
      relative: await t.outcome(() => cp.spawn('./plain')),
      byName: await spawnWithPath(cp, t, 'plain', t.dir),
    };
  },

  'an unexecutable file does not hide an executable one further on': async (cp, t) => {
    t.file('a/prog', HELLO, 0o644);
    t.file('b/prog', HELLO);
    return {
      plainFirst: await spawnWithPath(cp, t, 'prog', `${t.dir}/a:${t.dir}/b`),
      plainLast: await spawnWithPath(cp, t, 'prog', `${t.dir}/b:${t.dir}/a`),
      plainThenNothing: await spawnWithPath(cp, t, 'prog', `${t.dir}/a:${t.dir}/none`),
      nothingThenPlain: await spawnWithPath(cp, t, 'prog', `${t.dir}/none:${t.dir}/a`),
    };
  },

  'a directory is not a program': async (cp, t) => {
    fs.mkdirSync(path.join(t.dir, 'a/prog'), { recursive: true });
    t.file('b/prog', HELLO);
    return {
      absolute: await t.outcome(() => cp.spawn(path.join(t.dir, 'a/prog'))),
      root: await t.outcome(() => cp.spawn('/')),
      dot: await t.outcome(() => cp.spawn('.')),
      dotdot: await t.outcome(() => cp.spawn('..')),
      alone: await spawnWithPath(cp, t, 'prog', `${t.dir}/a`),
      first: await spawnWithPath(cp, t, 'prog', `${t.dir}/a:${t.dir}/b`),
      beforeNothing: await spawnWithPath(cp, t, 'prog', `${t.dir}/a:${t.dir}/none`),
    };
  },

  'links: to a program, dangling, in a circle': async (cp, t) => {
    t.file('real', HELLO);
    fs.mkdirSync(path.join(t.dir, 'links'));
    fs.symlinkSync('../real', path.join(t.dir, 'links/good'));
    fs.symlinkSync('nowhere', path.join(t.dir, 'links/dangling'));
    fs.symlinkSync('circle', path.join(t.dir, 'links/circle'));
    t.file('after/circle', HELLO);
    t.file('after/dangling', HELLO);
    return {
      good: await spawnWithPath(cp, t, 'good', `${t.dir}/links`),
      dangling: await spawnWithPath(cp, t, 'dangling', `${t.dir}/links`),
      danglingPath: await t.outcome(() => cp.spawn('./links/dangling')),
      danglingThenGood: await spawnWithPath(cp, t, 'dangling', `${t.dir}/links:${t.dir}/after`),
      circle: await spawnWithPath(cp, t, 'circle', `${t.dir}/links`),
      circlePath: await t.outcome(() => cp.spawn('./links/circle')),
      circleThenGood: await spawnWithPath(cp, t, 'circle', `${t.dir}/links:${t.dir}/after`),
    };
  },

  'an empty entry is the current directory': async (cp, t) => {
    t.file('here', HELLO);
    return {
      first: await spawnWithPath(cp, t, 'here', ':/usr/bin'),
      middle: await spawnWithPath(cp, t, 'here', '/none::/usr/bin'),
      last: await spawnWithPath(cp, t, 'here', '/none:'),
      none: await spawnWithPath(cp, t, 'here', '/none:/usr/bin'),
      alone: await spawnWithPath(cp, t, 'here', ''),
      onlyColon: await spawnWithPath(cp, t, 'here', ':'),
    };
  },

  'a relative entry is looked up in the child’s directory': async (cp, t) => {
    t.file('sub/bin/prog', HELLO);
    return {
      withCwd: await spawnWithPath(cp, t, 'prog', 'bin', { cwd: `${t.dir}/sub` }),
      withoutCwd: await spawnWithPath(cp, t, 'prog', 'bin'),
      fromHere: await spawnWithPath(cp, t, 'prog', 'sub/bin'),
      fromHereWithCwd: await spawnWithPath(cp, t, 'prog', 'sub/bin', { cwd: `${t.dir}/sub` }),
      emptyEntryWithCwd: await spawnWithPath(cp, t, 'prog', ':', { cwd: `${t.dir}/sub/bin` }),
      dot: await spawnWithPath(cp, t, 'prog', '.', { cwd: `${t.dir}/sub/bin` }),
    };
  },

  'a name with a slash is not looked up': async (cp, t) => {
    t.file('bin/sub/prog', HELLO);
    t.file('other/prog', HELLO);
    return {
      inPath: await spawnWithPath(cp, t, 'sub/prog', `${t.dir}/bin`),
      fromHere: await spawnWithPath(cp, t, 'bin/sub/prog', '/none'),
      dotSlash: await spawnWithPath(cp, t, './prog', `${t.dir}/other`),
      relativeToCwd: await spawnWithPath(cp, t, './prog', '/none', { cwd: `${t.dir}/other` }),
      relativeToCwdMissing: await spawnWithPath(cp, t, './other/prog', '/none', { cwd: `${t.dir}/other` }),
    };
  },

  'entries that are no directories': async (cp, t) => {
    t.file('a-file', 'x', 0o644);
    t.file('bin/prog', HELLO);
    return {
      fileThenGood: await spawnWithPath(cp, t, 'prog', `${t.dir}/a-file:${t.dir}/bin`),
      onlyFile: await spawnWithPath(cp, t, 'prog', `${t.dir}/a-file`),
      fileThenNothing: await spawnWithPath(cp, t, 'prog', `${t.dir}/a-file:/none`),
      throughAFile: await t.outcome(() => cp.spawn(`${t.dir}/a-file/prog`)),
    };
  },

  'a name or a path that is too long': async (cp, t) => {
    const long = 'n'.repeat(256);
    const entry = `/${'e'.repeat(300)}`;
    t.file('bin/prog', HELLO);
    return {
      name: await t.outcome(() => cp.spawn(long)),
      nameOf255: await t.outcome(() => cp.spawn('n'.repeat(255))),
      path: await t.outcome(() => cp.spawn(`./${long}`)),
      pathOf5000: await t.outcome(() => cp.spawn('/x'.repeat(2500))),
      entryThenGood: await spawnWithPath(cp, t, 'prog', `${entry}:${t.dir}/bin`),
      onlyEntry: await spawnWithPath(cp, t, 'prog', entry),
      entryOf5000ThenGood: await spawnWithPath(cp, t, 'prog', `${'/y'.repeat(2500)}:${t.dir}/bin`),
      onlyEntryOf5000: await spawnWithPath(cp, t, 'prog', '/y'.repeat(2500)),
    };
  },

  'no PATH in the environment': async (cp, t) => {
    t.file('here', HELLO);
    return {
      empty: await t.outcome(() => cp.spawn('true', { env: {} })),
      others: await t.outcome(() => cp.spawn('true', { env: { A: 'b' } })),
      lowerCase: await t.outcome(() => cp.spawn('here', { env: { path: t.dir } })),
      fromHere: await t.outcome(() => cp.spawn('here', { env: {} })),
      undefinedPath: await t.outcome(() => cp.spawn('true', { env: { PATH: undefined } })),
      nullPath: await t.outcome(() => cp.spawn('true', { env: { PATH: null } })),
    };
  },

  'PATH of options.env decides, not that of the process': async (cp, t) => {
    t.file('bin/only-here', HELLO);
    const outcomes = {
      inOptions: await spawnWithPath(cp, t, 'only-here', `${t.dir}/bin`),
      inNeither: await t.outcome(() => cp.spawn('only-here')),
    };
    const before = process.env.PATH;
    process.env.PATH = `${t.dir}/bin`;
    try {
      outcomes.inProcess = await t.outcome(() => cp.spawn('only-here'));
      outcomes.inProcessButNotInOptions = await spawnWithPath(cp, t, 'only-here', '/none');
    } finally {
      process.env.PATH = before;
    }
    return outcomes;
  },

  'PATH deleted from the process’s environment': async (cp, t) => {
    const before = process.env.PATH;
    delete process.env.PATH;
    try {
      return await t.outcome(() => cp.spawn('true'));
    } finally {
      process.env.PATH = before;
    }
  },

  'PATH inherited from the prototype of options.env': async (cp, t) => {
    t.file('bin/prog', HELLO);
    return t.outcome(() => cp.spawn('prog', { env: Object.create({ PATH: `${t.dir}/bin` }) }));
  },

  'a directory of PATH that may not be searched': async (cp, t) => {
    fs.chmodSync(t.dir, 0o755);
    t.file('closed/prog', HELLO);
    t.file('open/prog', HELLO);
    fs.chmodSync(path.join(t.dir, 'closed'), 0o700);
    const user = { uid: 65534, gid: 65534 };
    return {
      closed: await spawnWithPath(cp, t, 'prog', `${t.dir}/closed`, user),
      closedThenOpen: await spawnWithPath(cp, t, 'prog', `${t.dir}/closed:${t.dir}/open`, user),
      closedThenNothing: await spawnWithPath(cp, t, 'prog', `${t.dir}/closed:/none`, user),
      closedPath: await t.outcome(() => cp.spawn(`${t.dir}/closed/prog`, user)),
    };
  },

  'a program that only others may execute': async (cp, t) => {
    const file = t.file('for-root', HELLO, 0o700);
    return t.outcome(() => cp.spawn(file, { uid: 65534, gid: 65534 }));
  },

  'a script without a shebang': async (cp, t) => {
    t.file('bin/no-shebang', 'echo "by $0 with $1 and $#"\n');
    return {
      byName: await spawnWithPath(cp, t, 'no-shebang', `${t.dir}/bin:/usr/bin:/bin`),
      byPath: await t.outcome(() => cp.spawn(`${t.dir}/bin/no-shebang`, ['one', 'two'])),
      relative: await t.outcome(() => cp.spawn('./bin/no-shebang', ['one'])),
      withCwd: await t.outcome(() => cp.spawn('./no-shebang', ['one'], { cwd: `${t.dir}/bin` })),
      withArgv0: await t.outcome(() => cp.spawn('./bin/no-shebang', ['one'], { argv0: 'renamed' })),
      noArguments: await t.outcome(() => cp.spawn('./bin/no-shebang')),
    };
  },

  'files that are no programs': async (cp, t) => ({
    empty: await t.outcome(() => cp.spawn(t.file('empty', ''))),
    binaryRubbish: await t.outcome(() =>
      cp.spawn(t.file('rubbish', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]))),
    ),
    shebangOnly: await t.outcome(() => cp.spawn(t.file('shebang-only', '#!'))),
  }),

  'a shebang whose interpreter is missing': async (cp, t) => {
    t.file('a/prog', '#!/nonexistent-interpreter\necho never\n');
    t.file('b/prog', HELLO);
    return {
      byPath: await t.outcome(() => cp.spawn(`${t.dir}/a/prog`, ['x'])),
      byName: await spawnWithPath(cp, t, 'prog', `${t.dir}/a`),
      goesOn: await spawnWithPath(cp, t, 'prog', `${t.dir}/a:${t.dir}/b`),
    };
  },

  'a shebang whose interpreter may not be executed': async (cp, t) => {
    const plain = t.file('plain', 'x', 0o644);
    return {
      file: await t.outcome(() => cp.spawn(t.file('a', `#!${plain}\n`))),
      directory: await t.outcome(() => cp.spawn(t.file('b', '#!/usr\n'))),
    };
  },

  'a shebang with an argument': (cp, t) =>
    t.outcome(() => cp.spawn(t.file('prog', '#!/bin/echo an argument\n'), ['x', 'y'])),

  'a name beyond ASCII': async (cp, t) => {
    t.file('bin/prögrämm \u{1F600}', HELLO);
    return spawnWithPath(cp, t, 'prögrämm \u{1F600}', `${t.dir}/bin`);
  },

  'a name with spaces, a tilde, a wildcard is taken as it is': async (cp, t) => ({
    space: await t.outcome(() => cp.spawn('true false')),
    tilde: await t.outcome(() => cp.spawn('~/true')),
    wildcard: await t.outcome(() => cp.spawn('/bin/tru?')),
  }),
};
