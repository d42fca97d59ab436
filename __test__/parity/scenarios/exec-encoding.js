'use strict';

// options.encoding of exec and execFile: strings, Buffers, names nobody knows; characters that arrive in pieces.

const { collect } = require('../collected');
const values = require('../values');

// prettier-ignore
const ENCODINGS = [
  'utf8', 'utf-8', 'UTF8', 'UTF-8', 'latin1', 'binary', 'ascii', 'hex', 'HEX', 'base64', 'base64url', 'utf16le',
  'UTF-16LE', 'ucs2', 'ucs-2', 'buffer', 'BUFFER', 'no-such-encoding', '', 'utf', 'latin-1', 'utf16be',
];

// 'ä€😀', a byte that is no UTF-8, a BOM, a NUL: nine kinds of trouble in one line.
const TROUBLE = 'printf "\\303\\244\\342\\202\\254\\360\\237\\230\\200\\377\\000\\357\\273\\277z"';

function inPieces(pieces, end = '') {
  return pieces.map((piece) => `printf '${piece}'; sleep 0.03`).join('; ') + end;
}

module.exports = {
  'every name': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS)
      outcomes[encoding] = await collect(t, (callback) =>
        cp.exec(`${TROUBLE}; ${TROUBLE} >&2`, { encoding }, callback),
      );
    return outcomes;
  },

  'every name, and a failure': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS)
      outcomes[encoding] = await collect(t, (callback) =>
        cp.exec(`${TROUBLE}; ${TROUBLE} >&2; exit 2`, { encoding }, callback),
      );
    return outcomes;
  },

  'every name, and no output': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS)
      outcomes[encoding] = await collect(t, (callback) => cp.exec('true', { encoding }, callback));
    return outcomes;
  },

  'values that are no names': async (cp, t) => {
    const outcomes = {};
    for (const [label, encoding] of values())
      outcomes[label] = await collect(t, (callback) => cp.exec('echo ä', { encoding }, callback), { callback: false });
    return outcomes;
  },

  'execFile, too': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS)
      outcomes[encoding] = await collect(t, (callback) =>
        cp.execFile('printf', ['\\303\\244\\377'], { encoding }, callback),
      );
    return outcomes;
  },

  'a program that does not start': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'hex', 'buffer', null, 'no-such-encoding']) {
      outcomes[encoding] = await collect(t, (callback) => cp.execFile('no-such-program', { encoding }, callback));
    }
    return outcomes;
  },

  'characters that arrive in pieces come out whole': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'utf16le', 'base64', 'base64url', 'hex', 'latin1', 'buffer']) {
      outcomes[encoding] = {
        two: await collect(t, (callback) => cp.exec(inPieces(['a\\303', '\\244b']), { encoding }, callback)),
        four: await collect(t, (callback) =>
          cp.exec(inPieces(['\\360', '\\237', '\\230', '\\200']), { encoding }, callback),
        ),
        stderr: await collect(t, (callback) =>
          cp.exec(`(${inPieces(['\\342\\202', '\\254'])}) >&2`, { encoding }, callback),
        ),
      };
    }
    return outcomes;
  },

  'characters cut off at the end': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'utf16le', 'base64', 'hex', 'latin1', 'buffer']) {
      outcomes[encoding] = {
        one: await collect(t, (callback) => cp.exec('printf "a\\303"', { encoding }, callback)),
        three: await collect(t, (callback) => cp.exec(inPieces(['\\360', '\\237\\230']), { encoding }, callback)),
        followed: await collect(t, (callback) => cp.exec(inPieces(['\\360\\237', 'x']), { encoding }, callback)),
        failed: await collect(t, (callback) => cp.exec('printf "a\\303" >&2; exit 1', { encoding }, callback)),
      };
    }
    return outcomes;
  },

  'bytes that are no UTF-8': async (cp, t) => {
    const outcomes = {};
    for (const bytes of [
      '\\200',
      '\\377\\376',
      '\\355\\240\\200',
      '\\300\\200',
      '\\364\\220\\200\\200',
      '\\303(',
      '\\342\\202(',
      '\\360\\237\\230(',
    ]) {
      outcomes[bytes] = await collect(t, (callback) => cp.exec(`printf 'a${bytes}b'`, callback));
    }
    return outcomes;
  },

  'surrogates of UTF-16 that arrive in pieces': (cp, t) =>
    collect(t, (callback) =>
      cp.exec(inPieces(['a\\000=', '\\330', '\\000', '\\336b\\000']), { encoding: 'utf16le' }, callback),
    ),

  'a byte order mark is kept': async (cp, t) => ({
    whole: await collect(t, (callback) => cp.exec('printf "\\357\\273\\277a"', callback)),
    inPieces: await collect(t, (callback) => cp.exec(inPieces(['\\357', '\\273\\277a']), callback)),
  }),

  'a character across every boundary of a large output': async (cp, t) => {
    const outcomes = {};
    for (const before of [0, 1, 2, 3]) {
      outcomes[before] = await collect(t, (callback) =>
        cp.exec(`printf '${'x'.repeat(before)}'; yes '😀' | tr -d '\\n' | head -c 400000`, callback),
      );
    }
    return outcomes;
  },
};
