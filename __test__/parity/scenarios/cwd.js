'use strict';

// options.cwd: where the child starts.

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const pwd = (cp, t, cwd, options = {}) => t.outcome(() => cp.spawn('/bin/pwd', { cwd, ...options }));

module.exports = {
  'without cwd the child starts where the parent is': (cp, t) => t.outcome(() => cp.spawn('pwd')),

  'a string': (cp, t) => pwd(cp, t, '/usr'),

  'an empty string': (cp, t) => pwd(cp, t, ''),

  'a relative path, dots, a slash at the end': async (cp, t) => {
    fs.mkdirSync(path.join(t.dir, 'sub/sub'), { recursive: true });
    return {
      relative: await pwd(cp, t, 'sub/sub'),
      dot: await pwd(cp, t, '.'),
      dotdot: await pwd(cp, t, '..'),
      slash: await pwd(cp, t, `${t.dir}/sub/`),
    };
  },

  'a URL object with the file scheme': async (cp, t) => {
    fs.mkdirSync(path.join(t.dir, 'with space %41 é'));
    return {
      usr: await pwd(cp, t, new URL('file:///usr')),
      odd: await pwd(cp, t, pathToFileURL(path.join(t.dir, 'with space %41 é'))),
      query: await pwd(cp, t, new URL('file:///usr?x=1#y')),
      localhost: await pwd(cp, t, new URL('file://localhost/usr')),
    };
  },

  'URL objects that are refused': async (cp, t) => ({
    host: await pwd(cp, t, new URL('file://otherhost/usr')),
    http: await pwd(cp, t, new URL('http://example.org/')),
    data: await pwd(cp, t, new URL('data:text/plain,x')),
    encodedSlash: await pwd(cp, t, new URL('file:///usr%2Fbin')),
    encodedNul: await pwd(cp, t, new URL('file:///usr%00')),
    malformed: await pwd(cp, t, new URL('file:///usr%zz')),
  }),

  'a file: URL as a string is a path like any other': (cp, t) => pwd(cp, t, 'file:///usr'),

  'objects that look like URLs': async (cp, t) => ({
    plain: await pwd(cp, t, { href: 'file:///usr', protocol: 'file:' }),
    full: await pwd(cp, t, { href: 'file:///usr', protocol: 'file:', hostname: '', pathname: '/usr', origin: 'null' }),
    old: await pwd(cp, t, require('node:url').parse('file:///usr')),
  }),

  'a Buffer or a Uint8Array': async (cp, t) => ({
    buffer: await pwd(cp, t, Buffer.from('/usr')),
    uint8Array: await pwd(cp, t, new Uint8Array(Buffer.from('/usr'))),
    emptyBuffer: await pwd(cp, t, Buffer.alloc(0)),
    withNul: await pwd(cp, t, Buffer.from('/usr\0')),
    dataView: await pwd(cp, t, new DataView(new ArrayBuffer(4))),
  }),

  'a NUL': async (cp, t) => ({
    middle: await pwd(cp, t, '/usr\0/bin'),
    end: await pwd(cp, t, '/usr\0'),
  }),

  'a boxed string': (cp, t) => pwd(cp, t, new String('/usr')),

  'a missing directory': async (cp, t) => ({
    piped: await pwd(cp, t, '/nonexistent-dir'),
    ignored: await pwd(cp, t, '/nonexistent-dir', { stdio: 'ignore' }),
    relative: await pwd(cp, t, 'nonexistent-dir'),
    programMissingToo: await t.outcome(() => cp.spawn('no-such-program', { cwd: '/nonexistent-dir' })),
    detached: await pwd(cp, t, '/nonexistent-dir', { detached: true }),
    shell: await pwd(cp, t, '/nonexistent-dir', { shell: true }),
  }),

  'a file instead of a directory': async (cp, t) => {
    const file = t.file('plain', 'x', 0o644);
    return {
      file: await pwd(cp, t, file),
      through: await pwd(cp, t, `${file}/sub`),
      // The directory is wrong and so is the program: which of the two is it?
      andMissing: await t.outcome(() => cp.spawn('no-such-program', { cwd: file })),
    };
  },

  'a directory that may not be entered': async (cp, t) => {
    const closed = path.join(t.dir, 'closed');
    fs.mkdirSync(closed, { mode: 0o700 });
    return {
      asNobody: await pwd(cp, t, closed, { uid: 65534, gid: 65534 }),
      below: await pwd(cp, t, `${closed}/sub`, { uid: 65534, gid: 65534 }),
      asRoot: await pwd(cp, t, closed),
    };
  },

  'links: followed, dangling, in a circle, too long': async (cp, t) => {
    fs.symlinkSync('/usr', path.join(t.dir, 'good'));
    fs.symlinkSync('/nonexistent-dir', path.join(t.dir, 'dangling'));
    fs.symlinkSync('circle', path.join(t.dir, 'circle'));
    return {
      good: await pwd(cp, t, `${t.dir}/good`),
      dangling: await pwd(cp, t, `${t.dir}/dangling`),
      circle: await pwd(cp, t, `${t.dir}/circle`),
      longName: await pwd(cp, t, `/${'n'.repeat(256)}`),
      longPath: await pwd(cp, t, '/x'.repeat(2500)),
    };
  },

  'a directory that was removed while we stand in it': async (cp, t) => {
    const gone = path.join(t.dir, 'gone');
    fs.mkdirSync(gone);
    process.chdir(gone);
    fs.rmdirSync(gone);
    try {
      return {
        without: await t.outcome(() => cp.spawn('/bin/true')),
        dot: await t.outcome(() => cp.spawn('/bin/true', { cwd: '.' })),
        elsewhere: await t.outcome(() => cp.spawn('/bin/pwd', { cwd: '/usr' })),
      };
    } finally {
      process.chdir(t.dir);
    }
  },

  'the parent stays where it is': async (cp, t) => {
    const before = process.cwd();
    const recorded = await pwd(cp, t, '/usr');
    return { recorded, same: process.cwd() === before };
  },

  'PWD in the environment is left alone': (cp, t) =>
    t.outcome(() =>
      cp.spawn('/bin/sh', ['-c', 'cat /proc/$$/environ'], { cwd: '/usr', env: { PWD: '/elsewhere', PATH: '/bin' } }),
    ),
};
