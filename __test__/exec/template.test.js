'use strict';

// The template tags of child-process-rs/promises, which never let data become syntax.

const test = require('ava');

const { $, sh } = require('../../promises');

// What a shell, a word splitter, a glob or an option parser could trip over.
// prettier-ignore
const HOSTILE = [
  '', ' ', '  a  b  ', "it's", '"double"', `'"'"'`, "'''", '\\', '\\\\', "\\'", '`id`', '$(id)', '$HOME', '${HOME}',
  '$', '!', '!!', '; rm -rf /nonexistent-dir', '&& id', '| id', '& id', '> /tmp/nonexistent-dir/x', '< /etc/passwd',
  '#comment', '~', '*', '?', '[a-z]', '{a,b}', '-n', '--help', '-', '--', 'a\nb', '\n', 'a\n', '\t', '\r\n', '\x01\x7f',
  'ä€😀', '\u202e', '=', 'A=b', '%s', '%', '()', '<<EOF', '\x1b[31m',
];

// The words that a program got, each ended by a NUL, which no word can hold.
const PRINT = ['-e', 'for (const word of process.argv.slice(1)) process.stdout.write(word + "\\0")', '--'];
const wordsOf = (stdout) => stdout.split('\0').slice(0, -1);

async function rejected(promise) {
  return promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (error) => error,
  );
}

test('$: an interpolation is exactly one argument, whatever it holds', async (t) => {
  for (const text of HOSTILE) {
    const { stdout } = await $`${process.execPath} ${PRINT} ${text} end`;
    t.deepEqual(wordsOf(stdout), [text, 'end'], JSON.stringify(text));
  }
});

test('$: an array is several arguments, an empty one none', async (t) => {
  t.deepEqual(wordsOf((await $`${process.execPath} ${PRINT} ${HOSTILE} end`).stdout), [...HOSTILE, 'end']);
  t.deepEqual(wordsOf((await $`${process.execPath} ${PRINT} ${[]} end`).stdout), ['end']);
});

test('$: words are split at white space of the literal parts alone', async (t) => {
  const { stdout } = await $`${process.execPath} ${PRINT}   one  two
    three ${'four five'}	six  `;
  t.deepEqual(wordsOf(stdout), ['one', 'two', 'three', 'four five', 'six']);
});

test('$: an interpolation glued to text stays one argument', async (t) => {
  const path1 = 'a b';
  const { stdout } =
    await $`${process.execPath} ${PRINT} --file=${path1} ${path1}.txt pre${path1}post ${'x'}${'y z'} ${1}-${2n} ${''}a`;
  t.deepEqual(wordsOf(stdout), ['--file=a b', 'a b.txt', 'prea bpost', 'xy z', '1-2', 'a']);
});

test('$: literal text is never syntax', async (t) => {
  t.deepEqual(wordsOf((await $`${process.execPath} ${PRINT} $HOME * | ; > x`).stdout), [
    '$HOME',
    '*',
    '|',
    ';',
    '>',
    'x',
  ]);
});

test('$: failures, the command among them', async (t) => {
  t.is((await rejected($`sh -c ${'exit 4'}`)).code, 4);
  t.is((await rejected($`${'no-such program'} x`)).code, 'ENOENT');
  t.is((await rejected($`echo ${'a\0b'}`)).code, 'ERR_INVALID_ARG_VALUE');
});

test('$ and sh: what is no text is refused', async (t) => {
  for (const value of [undefined, null, {}, () => {}, Symbol('s'), [['nested']], [null]]) {
    t.is((await rejected($`echo ${value}`)).code, 'ERR_INVALID_ARG_TYPE');
    t.is((await rejected(sh`echo ${value}`)).code, 'ERR_INVALID_ARG_TYPE');
  }
});

test('$ and sh with options', async (t) => {
  t.is((await $({ cwd: '/usr' })`pwd`).stdout, '/usr\n');
  t.is((await sh({ cwd: '/usr', encoding: 'hex' })`pwd`).stdout, Buffer.from('/usr\n').toString('hex'));
  t.is((await $({ input: 'given' })`cat`).stdout, 'given');
});

test('sh: every interpolation is one word, whatever it holds', async (t) => {
  for (const text of HOSTILE) {
    const { stdout } = await sh`${process.execPath} ${PRINT} ${text} end`;
    t.deepEqual(wordsOf(stdout), [text, 'end'], JSON.stringify(text));
  }
});

test('sh: an array is several words, an empty one none', async (t) => {
  t.deepEqual(wordsOf((await sh`${process.execPath} ${PRINT} ${HOSTILE} end`).stdout), [...HOSTILE, 'end']);
  t.deepEqual(wordsOf((await sh`${process.execPath} ${PRINT} ${[]} end`).stdout), ['end']);
});

test('sh: literal text is the shell’s', async (t) => {
  t.is((await sh`for i in 1 2; do echo $i ${'$i'}; done | tr '\n' ,`).stdout, '1 $i,2 $i,');
  t.is((await sh`echo ${'a b'}${'c'} pre${"it's"}post`).stdout, "a bc preit'spost\n");
  t.is((await rejected(sh`exit ${7}`)).code, 7);
});
