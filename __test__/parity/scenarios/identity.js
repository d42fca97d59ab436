'use strict';

// Who the child is: argv0, user and group, session, signals and masks it starts with.

const STATUS = ['-E', '^(Uid|Gid|Groups|SigBlk|SigIgn|SigCgt|Umask|NoNewPrivs|Seccomp|Threads)', '/proc/self/status'];

module.exports = {
  'argv0 is what the child finds as its own name': async (cp, t) => ({
    set: await t.outcome(() => cp.spawn('cat', ['/proc/self/cmdline'], { argv0: 'another name' })),
    empty: await t.outcome(() => cp.spawn('cat', ['/proc/self/cmdline'], { argv0: '' })),
    unset: await t.outcome(() => cp.spawn('cat', ['/proc/self/cmdline'])),
    path: await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/cmdline'])),
    unicode: await t.outcome(() => cp.spawn('cat', ['/proc/self/cmdline'], { argv0: 'ü\u{1F600}' })),
    withShell: await t.outcome(() => cp.spawn('cat /proc/$$/cmdline', { argv0: 'my-shell', shell: true })),
  }),

  'argv0 shows in spawnargs, not in spawnfile': async (cp, t) => {
    const child = cp.spawn('true', ['x'], { argv0: 'another', stdio: 'ignore' });
    const { spawnfile, spawnargs } = child;
    return { spawnfile, spawnargs, recorded: await t.record(child) };
  },

  'argv0 of a program that is not there': (cp, t) =>
    t.outcome(() => cp.spawn('no-such-program', ['x'], { argv0: 'another' })),

  'uid and gid': async (cp, t) => ({
    both: await t.outcome(() => cp.spawn('grep', STATUS, { uid: 65534, gid: 65534 })),
    uid: await t.outcome(() => cp.spawn('grep', STATUS, { uid: 1000 })),
    gid: await t.outcome(() => cp.spawn('grep', STATUS, { gid: 1000 })),
    root: await t.outcome(() => cp.spawn('grep', STATUS, { uid: 0, gid: 0 })),
    large: await t.outcome(() => cp.spawn('grep', STATUS, { uid: 2 ** 31 - 1, gid: 2 ** 31 - 1 })),
    negative: await t.outcome(() => cp.spawn('grep', STATUS, { uid: -2, gid: -3 })),
  }),

  'uid and gid of -1': async (cp, t) => ({
    uid: await t.outcome(() => cp.spawn('true', { uid: -1 })),
    gid: await t.outcome(() => cp.spawn('true', { gid: -1 })),
  }),

  'uid and gid with a program that is not there': async (cp, t) => ({
    uid: await t.outcome(() => cp.spawn('no-such-program', { uid: 65534 })),
    refusedAndMissing: await t.outcome(() => cp.spawn('no-such-program', { uid: -1 })),
    missingCwd: await t.outcome(() => cp.spawn('true', { uid: 65534, cwd: '/nonexistent-dir' })),
    refusedAndMissingCwd: await t.outcome(() => cp.spawn('true', { uid: -1, cwd: '/nonexistent-dir' })),
  }),

  'one who is not root may not become another': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      return {
        uid: await t.outcome(() => cp.spawn('true', { uid: 0 })),
        gid: await t.outcome(() => cp.spawn('true', { gid: 0 })),
        both: await t.outcome(() => cp.spawn('true', { uid: 1, gid: 1 })),
        self: await t.outcome(() => cp.spawn('id', { uid: 65534, gid: 65534 })),
        ignored: await t.outcome(() => cp.spawn('true', { uid: 0, stdio: 'ignore' })),
        missing: await t.outcome(() => cp.spawn('no-such-program', { uid: 0 })),
      };
    }),

  'signals, masks and limits that the child starts with': (cp, t) => t.outcome(() => cp.spawn('grep', STATUS)),

  'signals that the parent listens to, and blocks, are back to normal in the child': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process
        .on('SIGINT', () => {})
        .on('SIGUSR2', () => {})
        .on('SIGPIPE', () => {});
      const recorded = await t.outcome(() => cp.spawn('grep', ['-E', '^Sig(Blk|Ign|Cgt)', '/proc/self/status']));
      process.removeAllListeners('SIGINT').removeAllListeners('SIGUSR2').removeAllListeners('SIGPIPE');
      return recorded;
    }),

  'signals that the parent was started with as ignored': (cp, t) =>
    t.inNewProcess((cp, t) => t.outcome(() => cp.spawn('grep', ['-E', '^Sig(Blk|Ign|Cgt)', '/proc/self/status'])), {
      prefix: ['bash', '-c', 'trap "" HUP USR1 PIPE; exec "$@"', 'bash'],
    }),

  'the mask for new files is the parent’s': async (cp, t) => {
    const before = process.umask(0o027);
    try {
      return await t.outcome(() => cp.spawn('sh', ['-c', 'umask']));
    } finally {
      process.umask(before);
    }
  },

  'the limits are the parent’s': (cp, t) => t.outcome(() => cp.spawn('sh', ['-c', 'ulimit -n; ulimit -c; ulimit -s'])),

  'without detached the child stays in the parent’s session and group': async (cp) => {
    const own = ids('self');
    const child = cp.spawn('sh', ['-c', 'cat /proc/$$/stat']);
    const recorded = await idsOf(child);
    return {
      sameGroup: recorded.group === own.group,
      sameSession: recorded.session === own.session,
      parent: recorded.parent === process.pid,
    };
  },

  'detached makes the child the leader of a new session and group': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'cat /proc/$$/stat'], { detached: true });
    const recorded = await idsOf(child);
    void t;
    return {
      leader: recorded.group === child.pid && recorded.session === child.pid,
      parent: recorded.parent === process.pid,
    };
  },

  'a detached group is killed as one': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'sleep 10 & echo ready; wait'], { detached: true });
    const recorded = t.record(child);
    child.stdout.once('data', () => process.kill(-child.pid, 'SIGKILL'));
    return recorded;
  },

  'a detached child that is let go outlives its parent': (cp, t) =>
    t
      .inNewProcess((cp) => {
        const child = cp.spawn('sh', ['-c', 'sleep 0.3; echo survived > survived'], {
          detached: true,
          stdio: 'ignore',
        });
        child.unref();
        return 'the parent ends now';
      })
      .then(async (ended) => {
        await t.sleep(600);
        return {
          ended,
          left: require('node:fs')
            .readdirSync(t.dir)
            .filter((name) => name === 'survived'),
        };
      }),

  'detached with a program that is not there': (cp, t) =>
    t.outcome(() => cp.spawn('no-such-program', { detached: true })),

  'windowsHide and windowsVerbatimArguments change nothing here': async (cp, t) => ({
    hide: await t.outcome(() => cp.spawn('echo', ['"a b"'], { windowsHide: true })),
    verbatim: await t.outcome(() => cp.spawn('echo', ['"a b"'], { windowsVerbatimArguments: true })),
  }),
};

function parseIds(stat) {
  const [, parent, group, session] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { parent, group, session };
}

function ids(pid) {
  return parseIds(require('node:fs').readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

async function idsOf(child) {
  let text = '';
  child.stdout.setEncoding('latin1').on('data', (data) => {
    text += data;
  });
  await require('node:events').once(child, 'close');
  return parseIds(text);
}
