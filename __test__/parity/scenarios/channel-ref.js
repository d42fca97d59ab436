'use strict';

// What keeps which process alive: listeners in the child, ref() and unref() of the channel and of the child in the
// parent.

const { paired } = require('../pairings');

const PATIENCE_MS = 800 * Number(process.env.PARITY_PATIENCE ?? 1);

// Each child says when it is done with its preparations, and is killed if it has not gone by itself some time later.
async function whetherItStays(t, bodies) {
  const outcomes = Object.entries(bodies).map(async ([name, body]) => {
    const child = t.fork(t.file(`${name}.js`, `(${body})()\nprocess.send('prepared')\n`));
    const recorded = t.record(child);
    child.once('message', () => setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref());
    return [name, (await recorded).events];
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

// Likewise for parents: each in a process of its own.
async function whetherTheParentStays(t, bodies) {
  const script = `async (cp, t, name) => {
    const bodies = { ${Object.entries(bodies)
      .map(([name, body]) => `${name}: ${body}`)
      .join(',\n')} }
    const child = t.fork(t.dir + '/child.js', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    await new Promise((resolve) => child.once('message', resolve))
    process.once('exit', () => { child.kill('SIGKILL') })
    setTimeout(() => process.exit(77), ${PATIENCE_MS}).unref()
    bodies[name](child)
    await new Promise(() => {})
  }`;
  t.file('child.js', `process.on('message', () => {}); process.send('ready')`);
  const outcomes = Object.keys(bodies).map(async (name) => {
    const { code, signal, observed } = await t.inNewProcess(script, { argument: name });
    return [name, [code === 77 ? 'stays' : code, signal, observed.ended]];
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

module.exports = paired(
  {
    'a child: nothing, listeners, listeners that are removed again': (cp, t) =>
      whetherItStays(t, {
        nothing: () => {},
        message: () => process.on('message', () => {}),
        disconnect: () => process.on('disconnect', () => {}),
        both: () => process.on('message', () => {}).on('disconnect', () => {}),
        other: () =>
          process
            .on('error', () => {})
            .on('internalMessage', () => {})
            .on('exit', () => {})
            .on('newListener', () => {}),
        removed: () => {
          const f = () => {};
          process.on('message', f).off('message', f);
        },
        oneOfTwo: () => {
          const f = () => {};
          process
            .on('message', f)
            .on('message', () => {})
            .off('message', f);
        },
        oneOfBoth: () => {
          const f = () => {};
          process
            .on('message', f)
            .on('disconnect', () => {})
            .off('message', f);
        },
        allMessages: () =>
          process
            .on('message', () => {})
            .on('message', () => {})
            .removeAllListeners('message'),
        all: () => process.on('message', () => {}).removeAllListeners(),
      }),

    'a child: what process.channel is told': (cp, t) =>
      whetherItStays(t, {
        ref: () => process.channel.ref(),
        refThenUnref: () => {
          process.channel.ref();
          process.channel.unref();
        },
        unrefWithListener: () => {
          process.on('message', () => {});
          process.channel.unref();
        },
        unrefThenListener: () => {
          process.channel.unref();
          process.on('message', () => {});
        },
        unrefThenRef: () => {
          process.channel.unref();
          process.channel.ref();
        },
        refThenRemoved: () => {
          const f = () => {};
          process.channel.ref();
          process.on('message', f).off('message', f);
        },
        counted: () => process.channel.refCounted(),
        countedTwice: () => {
          process.channel.refCounted();
          process.channel.refCounted();
          process.channel.unrefCounted();
        },
        countedDown: () => {
          process.channel.refCounted();
          process.channel.unrefCounted();
        },
        countedAfterUnref: () => {
          process.channel.unref();
          process.channel.refCounted();
        },
      }),

    'a child: once, and the end of a listener in its event': async (cp, t) => {
      const run = async (body, sends) => {
        const child = t.fork(body);
        const recorded = t.record(child);
        for (let i = 0; i < sends; i++) child.send(i);
        return recorded;
      };
      return {
        once: await run(() => process.once('message', (message) => process.send(message)), 1),
        twice: await run(
          () => process.once('message', () => process.once('message', (message) => process.send(message))),
          2,
        ),
        removed: await run(
          () =>
            process.on('message', function listener(message) {
              process.send(message);
              if (message === 2) process.off('message', listener);
            }),
          4,
        ),
        disconnectListenerOnly: await run(
          () => process.once('disconnect', () => {}) && setTimeout(() => process.disconnect(), 20),
          0,
        ),
      };
    },

    'a child whose parent leaves the channel ends, whatever holds it': async (cp, t) => {
      const bodies = {
        message: () => process.on('message', () => {}),
        ref: () => process.channel.ref(),
        disconnect: () => process.on('disconnect', () => process.on('message', () => {})),
      };
      const outcomes = {};
      for (const [name, body] of Object.entries(bodies)) {
        const child = t.fork(t.file(`${name}.js`, `(${body})()\nprocess.send('prepared')\n`));
        const recorded = t.record(child, { until: 'exit' });
        child.once('message', () => child.disconnect());
        outcomes[name] = await recorded;
      }
      return outcomes;
    },

    'a child: messages under way keep it until they are written': (cp, t) =>
      t
        .outcome(() =>
          t.fork(() => {
            process.send('x'.repeat(2_000_000), (error) => process.send(['written', error]));
          }),
        )
        .then(({ events }) => events),

    'a child: after disconnect() it is held by nothing': (cp, t) =>
      t.outcome(() =>
        t.fork(() => {
          process.on('message', () => {});
          process.on('disconnect', () => {});
          process.channel.ref();
          process.disconnect();
          process.on('message', () => {});
          process.removeAllListeners('message');
        }),
      ),

    'a parent': (cp, t) =>
      whetherTheParentStays(t, {
        nothing: () => {},
        childUnref: (child) => child.unref(),
        channelUnref: (child) => child.channel.unref(),
        both: (child) => {
          child.unref();
          child.channel.unref();
        },
        bothAndChannelRef: (child) => {
          child.unref();
          child.channel.unref();
          child.channel.ref();
        },
        bothAndChildRef: (child) => {
          child.unref();
          child.channel.unref();
          child.ref();
        },
        bothWithListeners: (child) => {
          child.unref();
          child.channel.unref();
          child.on('message', () => {}).on('disconnect', () => {});
        },
        childUnrefAndDisconnect: (child) => {
          child.unref();
          child.disconnect();
        },
        bothAndCounted: (child) => {
          child.unref();
          child.channel.unref();
          child.channel.refCounted();
        },
        bothAndSent: (child) => {
          child.unref();
          child.channel.unref();
          child.send('x');
        },
      }),

    'ref and unref once it is over': async (cp, t) => {
      const child = t.fork(() => process.send('x'));
      const { channel } = child;
      const recorded = await t.record(child);
      return {
        recorded,
        outcomes: [
          () => channel.ref(),
          () => channel.unref(),
          () => typeof channel.fd,
          () => channel.refCounted(),
          () => channel.unrefCounted(),
        ].map((fn) => t.attempt(fn)),
        gone: child.channel,
      };
    },

    'the fd of a channel, before and after': async (cp, t) => {
      const child = t.fork(() => {
        const { channel } = process;
        const { fd } = channel;
        process.disconnect();
        process.nextTick(() =>
          setImmediate(() =>
            require('node:fs').writeFileSync('fd', JSON.stringify([fd, channel.fd < 0, process.channel])),
          ),
        );
      });
      const recorded = await t.record(child);
      return { recorded, fd: require('node:fs').readFileSync('fd', 'utf8') };
    },
  },
  { serializations: ['json'] },
);
