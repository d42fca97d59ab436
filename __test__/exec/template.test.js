'use strict';

// The template tags of child-process-rs/promises, which never let data become syntax.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { both, rejected, thrown } = require('../helpers/both');

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

both(test, '$: an interpolation is exactly one argument, whatever it holds', async (t, { $ }) => {
  for (const text of HOSTILE) {
    const { stdout } = await $`${process.execPath} ${PRINT} ${text} end`;
    t.deepEqual(wordsOf(stdout), [text, 'end'], JSON.stringify(text));
  }
});

both(test, '$: an array is several arguments, an empty one none', async (t, { $ }) => {
  t.deepEqual(wordsOf((await $`${process.execPath} ${PRINT} ${HOSTILE} end`).stdout), [...HOSTILE, 'end']);
  t.deepEqual(wordsOf((await $`${process.execPath} ${PRINT} ${[]} end`).stdout), ['end']);
});

both(test, '$: words are split at white space of the literal parts alone', async (t, { $ }) => {
  const { stdout } = await $`${process.execPath} ${PRINT}   one  two
    three ${'four five'}	six  `;
  t.deepEqual(wordsOf(stdout), ['one', 'two', 'three', 'four five', 'six']);
});

both(test, '$: an interpolation next to text stays one argument', async (t, { $ }) => {
  const path1 = 'a b';
  const { stdout } =
    await $`${process.execPath} ${PRINT} --file=${path1} ${path1}.txt pre${path1}post ${'x'}${'y z'} ${1}-${2n} ${''}a`;
  t.deepEqual(wordsOf(stdout), ['--file=a b', 'a b.txt', 'prea bpost', 'xy z', '1-2', 'a']);
});

both(test, '$: literal text is never syntax', async (t, { $ }) => {
  const { stdout } = await $`${process.execPath} ${PRINT} $HOME * | ; > x $(id) && ~`;
  t.deepEqual(wordsOf(stdout), ['$HOME', '*', '|', ';', '>', 'x', '$(id)', '&&', '~']);
});

test('$: quotes and backslashes are read as a shell reads them', async (t) => {
  const { words } = require('../../lib/exec/template');
  const { execFile } = require('../../promises');
  const read = (strings, ...values) => words(strings, values);
  t.deepEqual(read`git commit -m "my message"`, ['git', 'commit', '-m', 'my message']);
  t.deepEqual(read`a '' "" b''c`, ['a', '', '', 'bc']);
  t.deepEqual(read`a "pre ${'x y'} post" '${'it'}'`, ['a', 'pre x y post', 'it']);
  t.deepEqual(read`a "${['b c', 'd']}"`, ['a', 'b c', 'd']);
  t.deepEqual(read`a "${[]}"`, ['a', ''], 'the quotes make a word');
  // In JavaScript a backtick and an interpolation cannot be written without a backslash.
  t.deepEqual(read`a \` '\`' "\`" \${b} '\${b}'`, ['a', '`', '`', '`', '${b}', '${b}']);
  const literals = [
    String.raw`printf '%s\0' a\ b 'c\d' "e\f" "g\"h" "i\\j" "k\$l" m\\n o\'p "q'r" 's"t' "u\
v" w\
x`,
    String.raw`printf '%s\0' "" '' a""b '\'  \" "a"'b'c`,
  ];
  for (const literal of literals) {
    const [file, ...args] = words({ raw: [literal] }, []);
    const expected = await execFile('/bin/sh', ['-c', literal]);
    t.deepEqual((await execFile(file, args)).stdout, expected.stdout, literal);
  }
});

both(test, '$: a quote that is not closed, and no command, throw', (t, { $, sh }) => {
  for (const body of [() => $`echo "a`, () => $`echo it's ${'a'}`, () => $`  `, () => $`${[]}`, () => $.sync`'`]) {
    t.is(thrown(body).code, 'ERR_INVALID_ARG_VALUE', String(body));
  }
  t.regex(thrown(() => $`echo "a`).message, /a quote that is not closed: "/);
  t.notThrows(() => sh`echo ${'"'}`);
});

both(test, '$: failures', async (t, { $ }) => {
  t.is((await rejected($`sh -c ${'exit 4'}`)).exitCode, 4);
  t.is((await rejected($`${'no-such program'} x`)).code, 'ENOENT');
  t.is(thrown(() => $`echo ${'a\0b'}`).code, 'ERR_INVALID_ARG_VALUE');
});

both(test, '$ and sh: what is no text is refused', (t, { $, sh, execFile }) => {
  for (const value of [undefined, null, {}, () => {}, Symbol('s'), [['nested']], [null]]) {
    t.is(thrown(() => $`echo ${value}`).code, 'ERR_INVALID_ARG_TYPE');
    t.is(thrown(() => sh`echo ${value}`).code, 'ERR_INVALID_ARG_TYPE');
  }
  t.regex(thrown(() => $`echo ${execFile('true')}`).message, /await the command first/);
});

both(test, '$ and sh: a result is its output', async (t, { $, sh, exec }) => {
  const result = await $`echo ${'a b'}`;
  t.is((await $`echo -${result}-`).stdout, '-a b-');
  t.is((await sh`echo -${result}- ${[result, 1]}`).stdout, '-a b- a b 1');
  t.is((await $`echo ${await exec('echo bytes', { encoding: 'buffer' })}`).stdout, 'bytes');
  t.is((await $`echo ${await exec('echo a; echo b', { lines: true })}`).stdout, 'a b');
  t.is((await $`echo ${await exec('echo failed; exit 1', { reject: false })}`).stdout, 'failed');
});

both(test, '$ and sh with options', async (t, { $, sh }) => {
  t.is((await $({ cwd: '/usr' })`pwd`).stdout, '/usr');
  t.is((await sh({ cwd: '/usr', encoding: 'hex' })`pwd`).stdout, Buffer.from('/usr\n').toString('hex'));
  t.is((await $({ cwd: '/usr' })({ stripFinalNewline: false })`pwd`).stdout, '/usr\n');
  t.is((await sh({ shell: '/bin/bash' })`echo $((2 ** ${3}))`).stdout, '8');
});

both(test, 'sh: every interpolation is one word, whatever it holds', async (t, { sh }) => {
  for (const text of HOSTILE) {
    const { stdout } = await sh`${process.execPath} ${PRINT} ${text} end`;
    t.deepEqual(wordsOf(stdout), [text, 'end'], JSON.stringify(text));
  }
});

both(test, 'sh: an array is several words, an empty one none', async (t, { sh }) => {
  t.deepEqual(wordsOf((await sh`${process.execPath} ${PRINT} ${HOSTILE} end`).stdout), [...HOSTILE, 'end']);
  t.deepEqual(wordsOf((await sh`${process.execPath} ${PRINT} ${[]} end`).stdout), ['end']);
});

both(test, 'sh: literal text is the shell’s', async (t, { sh }) => {
  t.is((await sh`for i in 1 2; do echo $i ${'$i'}; done | tr '\n' ,`).stdout, '1 $i,2 $i,');
  t.is((await sh`echo ${'a b'}${'c'} pre${"it's"}post`).stdout, "a bc preit'spost");
  t.is((await sh`echo \`echo x\``).stdout, 'x');
  t.is((await rejected(sh`exit ${7}`)).exitCode, 7);
  t.is((await rejected(sh`exit ${7}`)).command, 'exit 7');
});

both(test, 'sh: an interpolation in quotes is data, too', async (t, { sh }) => {
  for (const text of HOSTILE) {
    const { stdout } =
      await sh`${process.execPath} ${PRINT} "a ${text} b" 'c ${text} d' "$(printf '%s.' "${text}")" end # it's`;
    t.deepEqual(wordsOf(stdout), [`a ${text} b`, `c ${text} d`, `${text}.`, 'end'], JSON.stringify(text));
  }
});

both(test, 'sh: whatever is around an interpolation, it is never run', async (t, { sh }) => {
  const evil = `'"\`; touch evil; $(touch evil) \`touch evil\`\ntouch evil\n`;
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'template-'));
  t.teardown(() => fs.rmSync(cwd, { recursive: true }));
  const run = sh({ cwd, reject: false, shell: '/bin/bash' });
  await run`cat <<EOF
    it's ${evil}
EOF`;
  await run`: # it's ${evil}`;
  await run`: $'it\'s ${evil}'`;
  await run`: \`echo "${evil}"\` "\\\"${evil}"`;
  await run`: "\${x:-"${evil}"}" \${x:-'${evil}'} $(( ${evil} ))`;
  await run`f() { echo "it's" ${evil} "$1"; }; f "${evil}"; set -- a; echo ${evil}`;
  await run`case x in x) echo "(" ${evil} ;; esac`;
  t.deepEqual(fs.readdirSync(cwd), []);
  const { stdout } = await run`f() { printf '%s|' ${'mine'} "$1"; }; f theirs; shift; printf %s ${'still'}`;
  t.is(stdout, 'mine|theirs|still');
});
