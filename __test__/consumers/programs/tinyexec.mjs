import assert from 'node:assert';
import { x, NonZeroExitError } from 'tinyexec';

const settled = (one) => Promise.resolve(one).catch(() => {});

const plain = await x('echo', ['one', 'two words']);
assert.deepStrictEqual([plain.stdout, plain.stderr, plain.exitCode], ['one two words\n', '', 0]);

const failed = await x('sh', ['-c', 'echo why >&2; exit 3']);
assert.deepStrictEqual([failed.stderr, failed.exitCode], ['why\n', 3]);
await assert.rejects(async () => x('sh', ['-c', 'exit 3'], { throwOnError: true }), NonZeroExitError);
await assert.rejects(async () => x('no-such-command'), { code: 'ENOENT' });

const lines = [];
for await (const line of x('seq', ['3'])) lines.push(line);
assert.deepStrictEqual(lines, ['1', '2', '3']);

assert.strictEqual((await x('printf', ['b\\na\\n']).pipe('sort')).stdout, 'a\nb\n');
assert.strictEqual(
  (await x('sh', ['-c', 'echo "$GREETING"'], { nodeOptions: { env: { GREETING: 'hi' } } })).stdout,
  'hi\n',
);

const running = x('sleep', ['60']);
assert.ok(running.pid > 0);
assert.strictEqual(running.kill(), true);
await settled(running);
assert.strictEqual(running.killed, true);

const controller = new AbortController();
const aborted = x('sleep', ['60'], { signal: controller.signal });
controller.abort();
await settled(aborted);
assert.strictEqual(aborted.aborted, true);
