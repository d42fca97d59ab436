import assert from 'node:assert';
import { fileURLToPath } from 'node:url';
import { $, execa, execaNode, execaSync, getOneMessage, sendMessage } from 'execa';

async function child() {
  const message = await getOneMessage();
  await sendMessage({ ...message, answered: true });
}

const rejection = (promise) =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  );

async function parent() {
  assert.strictEqual((await execa('echo', ['one', 'two words'])).stdout, 'one two words');
  const name = "it's; echo injected";
  assert.strictEqual((await $`echo ${name} ${['a', 'b c']}`).stdout, "it's; echo injected a b c");
  assert.strictEqual((await execa({ input: '3\n1\n2' })`sort`).stdout, '1\n2\n3');
  assert.strictEqual((await execa`printf b\na\n`.pipe`sort`.pipe`tr a-z A-Z`).stdout, 'A\nB');
  assert.strictEqual(
    (await execa({ shell: true, all: true })`echo out; echo err >&2`).all.split('\n').sort().join(),
    'err,out',
  );
  assert.deepStrictEqual(
    (await execa({ encoding: 'buffer' })`printf ${'\u00ff'}`).stdout,
    new Uint8Array([0xc3, 0xbf]),
  );
  assert.deepStrictEqual((await execa({ lines: true })`printf 1\n2`).stdout, ['1', '2']);

  const lines = [];
  for await (const line of execa`seq 3`) lines.push(line);
  assert.deepStrictEqual(lines, ['1', '2', '3']);

  const failed = await rejection(execa('sh', ['-c', 'echo why >&2; exit 3']));
  assert.deepStrictEqual([failed.exitCode, failed.stderr, failed.failed], [3, 'why', true]);
  const missing = await rejection(execa('no-such-command'));
  assert.strictEqual(missing.code, 'ENOENT');
  const late = await rejection(execa('sleep', ['60'], { timeout: 50 }));
  assert.deepStrictEqual([late.timedOut, late.signal], [true, 'SIGTERM']);
  const long = await rejection(execa('seq', ['100000'], { maxBuffer: 100 }));
  assert.deepStrictEqual([long.isMaxBuffer, long.stdout.length], [true, 100]);
  const controller = new AbortController();
  const cancelled = rejection(execa('sleep', ['60'], { cancelSignal: controller.signal }));
  controller.abort();
  assert.strictEqual((await cancelled).isCanceled, true);

  const forked = execaNode(fileURLToPath(import.meta.url), ['child'], { ipc: true });
  await forked.sendMessage({ at: new Date(0), bytes: new Uint8Array([1, 2]) });
  assert.deepStrictEqual(await forked.getOneMessage(), {
    at: new Date(0),
    bytes: new Uint8Array([1, 2]),
    answered: true,
  });
  await forked;

  assert.strictEqual(execaSync('cat', { input: 'fed' }).stdout, 'fed');
}

await (process.argv[2] === 'child' ? child() : parent());
