'use strict';

// Input that is odd and still counts as messages. What is no message at all: channel-deliberate.test.js.

const { paired } = require('../pairings');

const spawn = (cp, script, options) =>
  cp.spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], ...options });
const print = (format) => `printf '${format}' >&$NODE_CHANNEL_FD`;

function depthOf(value) {
  let depth = 0;
  while (Array.isArray(value)) {
    value = value[0];
    depth += 1;
  }
  return [depth, value];
}

module.exports = paired(
  {
    'bytes that are no UTF-8, within strings': (cp, t) =>
      t.outcome(() =>
        spawn(
          cp,
          [
            '\\xff',
            'a\\xffb',
            '\\xc3',
            '\\xc3(',
            '\\xe2\\x82',
            '\\xe2\\x82a',
            '\\xe2(\\xac',
            '\\xf0\\x9f\\x98',
            '\\xf0\\x9fa',
            '\\xf0\\x9f\\x98\\x80\\x80',
            '\\xed\\xa0\\xbd',
            '\\xed\\xa0\\xbd\\xed\\xb8\\x80',
            '\\xc0\\xaf',
            '\\xe0\\x80\\xaf',
            '\\xf4\\x90\\x80\\x80',
            '\\xf8\\x88\\x80\\x80\\x80',
            '\\xfe\\xff',
            '\\x80\\x81\\x82',
            'a\\xcc\\x81',
            '\\xef\\xbb\\xbfa',
            '\\xef\\xbf\\xbe',
          ]
            .map((bytes) => print(`"${bytes}"\\n`))
            .join('\n'),
        ),
      ),

    'the same in keys': (cp, t) => t.outcome(() => spawn(cp, print('{"\\xff":1,"\\xc3":2,"a\\xe2\\x82":3}\\n'))),

    'the same, cut between writes': (cp, t) =>
      t.outcome(() =>
        spawn(cp, ['"\\xe2', '(\\xf0\\x9f', '"\\n"\\xf0', '\\x9f\\x98\\x80"\\n'].map(print).join('; sleep 0.04; ')),
      ),

    'carriage returns and blanks around values': (cp, t) =>
      t.outcome(() => spawn(cp, print('1\\r\\n \\t2 \\n\\r3\\n{"a":\\r1}\\r\\n'))),

    'a hundred thousand levels': async (cp, t) => {
      const child = spawn(
        cp,
        [
          `head -c 100000 /dev/zero | tr '\\0' '[' >&$NODE_CHANNEL_FD`,
          'printf 7 >&$NODE_CHANNEL_FD',
          `head -c 100000 /dev/zero | tr '\\0' ']' >&$NODE_CHANNEL_FD`,
          print('\\n'),
        ].join('; '),
      );
      child.on('message', (message) => t.log(depthOf(message)));
      await new Promise((resolve) => child.on('close', resolve));
    },

    'numbers of any length': (cp, t) =>
      t.outcome(() =>
        spawn(
          cp,
          print(
            [
              '123456789012345678901234567890\\n',
              '-0.0000000000000000000000000000001\\n',
              '1e-400\\n',
              '9007199254740993\\n',
              '0.1000000000000000055511151231257827\\n',
            ].join(''),
          ),
        ),
      ),

    'a line of twenty megabytes': (cp, t) =>
      t.outcome(() =>
        spawn(
          cp,
          `{ printf '["'; head -c 20000000 /dev/zero | tr '\\0' x; printf '"]\\n"after"\\n'; } >&$NODE_CHANNEL_FD`,
        ),
      ),

    'a frame of twenty megabytes': (cp, t) =>
      t.outcome(() =>
        spawn(
          cp,
          `{
          printf '\\x01\\x31\\x2d\\x07\\xff\\x0f\\x22\\x80\\xda\\xc4\\x09'
          head -c 20000000 /dev/zero | tr '\\0' x
          printf '\\x00\\x00\\x00\\x04\\xff\\x0f\\x49\\x0e'
          } >&$NODE_CHANNEL_FD`,
          { serialization: 'advanced' },
        ),
      ),

    'a message and the end in one': (cp, t) => t.outcome(() => spawn(cp, print('"a"\\n"b"\\n'))),

    'internal messages that the channel does not know': (cp, t) => {
      const child = spawn(
        cp,
        print(
          '{"cmd":"NODE_NOTHING","type":"net.Socket"}\\n{"cmd":"NODE_HANDLES"}\\n{"cmd":"NODE_SOCKET_X","key":null}\\n',
        ),
      );
      const seen = [];
      child.on('internalMessage', (...args) => seen.push(args));
      return t.record(child).then((recorded) => ({ recorded, seen }));
    },
  },
  { pairings: ['ours to ours'], serializations: ['json'] },
);
