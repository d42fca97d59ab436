'use strict';

// child.kill(), ref(), unref(), Symbol.dispose, exit codes.

const { once } = require('node:events');
const fs = require('node:fs');

const values = require('../values');

// Signals that end a program that does not expect them. Core dumps are off here.
// prettier-ignore
const DEADLY = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGUSR1', 'SIGSEGV',
  'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGIO',
  'SIGPWR', 'SIGSYS', 'SIGPOLL', 'SIGIOT',
];

async function killed(cp, t, ...args) {
  const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
  const recorded = t.record(child);
  await once(child, 'spawn');
  t.log(
    String(args[0]),
    t.attempt(() => child.kill(...args)),
    child.killed,
  );
  return recorded;
}

module.exports = {
  'without an argument it is SIGTERM': async (cp, t) => ({
    none: await killed(cp, t),
    undefined: await killed(cp, t, undefined),
  }),

  'every deadly signal by its name': async (cp, t) => {
    const outcomes = {};
    for (const name of DEADLY) outcomes[name] = await killed(cp, t, name);
    return outcomes;
  },

  'signals by number': async (cp, t) => {
    const outcomes = {};
    for (const number of [1, 2, 3, 9, 15, 31]) outcomes[number] = await killed(cp, t, number);
    return outcomes;
  },

  'names in lower case': async (cp, t) => ({
    lower: await killed(cp, t, 'sigterm'),
    mixed: await killed(cp, t, 'SigInt'),
  }),

  'signals that are refused': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    const outcomes = {};
    for (const [label, value] of values()) {
      if (value !== undefined && value !== 0 && value !== 1)
        outcomes[label] = [t.attempt(() => child.kill(value)), child.killed];
    }
    for (const value of ['SIGFOO', 'TERM', 'SIG', ' SIGTERM', 'SIGTERM ', 'SIGRTMIN', 65, -9]) {
      outcomes[value] = [t.attempt(() => child.kill(value)), child.killed];
    }
    child.kill('SIGKILL');
    return { outcomes, recorded: await recorded };
  },

  'real-time signals by number': async (cp, t) => ({
    34: await killedOrNot(cp, t, 34),
    64: await killedOrNot(cp, t, 64),
  }),

  'stopped at once, then a signal that dumps core, then told to go on': async (cp) => {
    const outcomes = [];
    for (let i = 0; i < 20; i++) {
      const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
      const recorded = once(child, 'exit');
      const sent = ['SIGSTOP', 'SIGQUIT', 'SIGCONT'].map((signal) => child.kill(signal));
      outcomes.push([...sent, ...(await recorded)]);
    }
    return outcomes;
  },

  'after the exec, but before anything has been told of it': async (cp, t) => {
    const outcomes = [];
    for (let i = 0; i < 10; i++) {
      const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
      const recorded = t.record(child);
      // A listener is waited for by now, whatever the exec has come to meanwhile.
      await null;
      await null;
      while (fs.readFileSync(`/proc/${child.pid}/comm`, 'utf8') !== 'sleep\n');
      child.kill();
      outcomes.push(await recorded);
    }
    return outcomes;
  },

  'signal 0 asks whether it is there': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    const alive = [child.kill(0), child.killed];
    child.kill();
    await recorded;
    return { alive, dead: [child.kill(0), child.killed] };
  },

  'after the end it returns false and throws for what is no signal': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    await t.record(child);
    return {
      kill: child.kill(),
      zero: child.kill(0),
      killed: child.killed,
      unknown: t.attempt(() => child.kill('SIGFOO')),
    };
  },

  'between the end and the event': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const recorded = t.record(child);
    // The loop stands still while the child ends: it is a zombie, and takes signals still.
    const isZombie = () => /\) Z/.test(fs.readFileSync(`/proc/${child.pid}/stat`, 'latin1'));
    const deadline = Date.now() + 30_000;
    while (!isZombie() && Date.now() < deadline);
    t.log(child.kill(0), child.kill('SIGTERM'), child.killed);
    return recorded;
  },

  'in the exit event, and in the close event': async (cp, t) => {
    const child = cp.spawn('true');
    child.on('exit', () => t.log('exit', child.kill(), child.killed));
    child.on('close', () => t.log('close', child.kill(), child.killed));
    return t.record(child);
  },

  'a child that never was': async (cp, t) => {
    const child = cp.spawn('no-such-program');
    const before = [t.attempt(() => child.kill()), child.killed];
    const zero = t.attempt(() => child.kill(0));
    const recorded = await t.record(child);
    return { before, zero, recorded, after: [child.kill(), child.killed] };
  },

  'at once, before the spawn event': async (cp, t) => {
    const child = cp.spawn('sleep', ['10']);
    const recorded = t.record(child);
    t.log(child.kill('SIGKILL'), child.killed);
    return recorded;
  },

  'twice': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    t.log(child.kill(), child.kill(), child.killed);
    return recorded;
  },

  'signals that do not end it: stop and continue': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'trap "echo got it; exit 5" USR1; echo ready; while :; do sleep 0.02; done']);
    const recorded = t.record(child);
    await once(child.stdout, 'data');
    t.log(
      child.kill('SIGSTOP'),
      child.kill('SIGCONT'),
      child.kill('SIGWINCH'),
      child.kill('SIGCHLD'),
      child.kill('SIGURG'),
    );
    await t.sleep(30);
    t.log(child.exitCode, child.signalCode);
    child.kill('SIGUSR1');
    return recorded;
  },

  'a signal sent by another': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    process.kill(child.pid, 'SIGINT');
    return recorded;
  },

  'a program that kills itself': async (cp, t) => ({
    term: await t.outcome(() => cp.spawn('sh', ['-c', 'kill -TERM $$'])),
    kill: await t.outcome(() => cp.spawn('sh', ['-c', 'kill -KILL $$'])),
    rt: await t.outcome(() => cp.spawn('sh', ['-c', 'kill -40 $$'])),
  }),

  'a child that became another user’s may not be killed': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      const child = cp.spawn('sleep', ['0.4'], { stdio: 'ignore' });
      const recorded = t.record(child);
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      t.log(
        t.attempt(() => child.kill()),
        child.killed,
      );
      t.log(
        t.attempt(() => child.kill(0)),
        child.killed,
      );
      return recorded;
    }),

  'kill is fine with any this that is a child': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    const { kill } = child;
    t.log(t.attempt(() => kill.call(child, 'SIGKILL')));
    return recorded;
  },

  'Symbol.dispose kills, once': async (cp, t) => {
    const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
    const recorded = t.record(child);
    const kill = child.kill;
    child.kill = function (...args) {
      t.log('kill', args);
      return kill.apply(this, args);
    };
    t.log(
      t.attempt(() => child[Symbol.dispose]()),
      child.killed,
    );
    t.log(
      t.attempt(() => child[Symbol.dispose]()),
      child.killed,
    );
    return recorded;
  },

  'Symbol.dispose after the end': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const recorded = await t.record(child);
    t.log(
      t.attempt(() => child[Symbol.dispose]()),
      child.killed,
    );
    return recorded;
  },

  'exit codes': async (cp, t) => {
    const outcomes = {};
    for (const code of [0, 1, 2, 42, 126, 127, 128, 143, 254, 255, 256, 257]) {
      outcomes[code] = await t.outcome(() => cp.spawn('sh', ['-c', `exit ${code & 255}`], { stdio: 'ignore' }));
    }
    return outcomes;
  },

  'ref and unref return nothing and may be called at any time': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const recorded = t.record(child);
    const live = [
      t.attempt(() => child.unref()),
      t.attempt(() => child.unref()),
      t.attempt(() => child.ref()),
      t.attempt(() => child.ref()),
    ];
    await recorded;
    return { live, dead: [t.attempt(() => child.ref()), t.attempt(() => child.unref())] };
  },

  'a child that is not let go keeps the process alive': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['0.2'], { stdio: 'ignore' });
      child.on('exit', (...args) => console.log('exit', ...args));
      child.on('close', (...args) => console.log('close', ...args));
      process.on('exit', () => console.log('the process ends'));
    }),

  'unref lets the process end before the child': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['1'], { stdio: 'ignore' });
      child.unref();
      child.on('exit', () => console.log('never'));
      process.on('exit', () => console.log('the process ends', child.exitCode));
    }),

  'unref and ref again': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['0.2'], { stdio: 'ignore' });
      child.unref();
      child.ref();
      child.on('exit', (...args) => console.log('exit', ...args));
      process.on('exit', () => console.log('the process ends'));
    }),

  'unref twice and ref once': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['0.2'], { stdio: 'ignore' });
      child.unref();
      child.unref();
      child.ref();
      child.on('exit', (...args) => console.log('exit', ...args));
      process.on('exit', () => console.log('the process ends'));
    }),

  'unref of one does not let go of another': (cp, t) =>
    t.inNewProcess((cp) => {
      const one = cp.spawn('sleep', ['1'], { stdio: 'ignore' });
      const other = cp.spawn('sleep', ['0.1'], { stdio: 'ignore' });
      one.unref();
      one.unref();
      other.on('exit', (...args) => console.log('other', ...args));
      process.on('exit', () => console.log('the process ends', one.exitCode));
    }),

  'a pipe keeps the process alive when the child is let go': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sh', ['-c', 'sleep 0.2; echo late']);
      child.unref();
      let text = '';
      child.stdout.on('data', (data) => {
        text += data;
      });
      process.on('exit', () => console.log('the process ends', text));
    }),

  'pipes and child let go': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['1']);
      child.unref();
      for (const stream of child.stdio) stream.unref();
      process.on('exit', () => console.log('the process ends', child.exitCode));
    }),

  'a handle that is closed says nothing of the end, and its streams go on': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sh', ['-c', 'read line; echo $line; exit 3']);
      for (const event of ['exit', 'close', 'error']) child.on(event, (...args) => console.log(event, ...args));
      child.stdout.on('data', (data) => console.log('data', String(data)));
      const handle = child._handle;
      const returned = handle.close(function (...args) {
        console.log('closed', this === handle, args, handle.hasRef());
        child.ref();
        console.log(handle.hasRef());
        child.stdin.end('it still runs\n');
      });
      console.log(
        returned,
        handle.hasRef(),
        handle.close(() => console.log('never')),
      );
      process.on('exit', () => console.log('the process ends', child.exitCode, child._handle === handle));
    }),

  'a handle that is closed lets the process end before the child': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['1'], { stdio: 'ignore' });
      child.on('exit', () => console.log('never'));
      child._handle.close();
      process.on('exit', () => console.log('the process ends', child.exitCode));
    }),

  'a short child can be killed, or looked for, when spawn is emitted': async (cp) => {
    const told = [];
    for (let i = 0; i < 40; i++) {
      const child = cp.spawn('true', { stdio: i % 2 ? 'ignore' : 'pipe' });
      child.on('spawn', () => told.push(process.kill(child.pid, 0), child.kill()));
      await once(child, 'close');
    }
    return told;
  },

  'a signal that was aborted before ends a short child, too': async (cp) => {
    const told = [];
    for (let i = 0; i < 40; i++) {
      const child = cp.spawn('true', { stdio: 'ignore', signal: AbortSignal.abort() });
      child.on('error', ({ name }) => told.push(name));
      await new Promise((resolve) => child.on('exit', resolve));
    }
    return told;
  },

  'process.exit() with live children': (cp, t) =>
    t.inNewProcess((cp) => {
      cp.spawn('sleep', ['0.3']);
      cp.spawn('sleep', ['0.3'], { stdio: 'ignore' });
      process.on('exit', () => console.log('the process ends'));
      setTimeout(() => process.exit(7), 20);
    }),
};

async function killedOrNot(cp, t, signal) {
  const child = cp.spawn('sleep', ['0.3'], { stdio: 'ignore' });
  const recorded = t.record(child);
  await once(child, 'spawn');
  t.log(
    t.attempt(() => child.kill(signal)),
    child.killed,
  );
  return recorded;
}
