import assert from 'node:assert';
import { $, cd, nothrow, usePwsh, within } from 'zx';

assert.strictEqual(typeof usePwsh, 'function');
$.verbose = false;

const name = "it's; echo injected $HOME";
assert.strictEqual((await $`echo ${name}`).stdout, `${name}\n`);
assert.strictEqual((await $`printf '%s\n' ${['a', 'b c']}`.pipe($`sort -r`)).stdout, 'b c\na\n');
assert.deepStrictEqual((await $`seq 3`).lines(), ['1', '2', '3']);

await assert.rejects($`echo why >&2; exit 3`, (error) => error.exitCode === 3 && error.stderr === 'why\n');
assert.strictEqual((await nothrow($`exit 4`)).exitCode, 4);
assert.strictEqual((await $({ nothrow: true })`no-such-command`).exitCode, 127);
assert.strictEqual((await $({ input: 'fed' })`cat`).stdout, 'fed');
assert.strictEqual((await $({ env: { ...process.env, GREETING: 'hi' } })`echo $GREETING`).stdout, 'hi\n');

await within(async () => {
  cd('/');
  assert.strictEqual((await $`pwd`).stdout, '/\n');
});
assert.notStrictEqual((await $`pwd`).stdout, '/\n');

const sleeping = $`sleep 60`.nothrow();
await new Promise((resolve) => setImmediate(resolve));
await sleeping.kill();
assert.strictEqual((await sleeping).signal, 'SIGTERM');
assert.strictEqual((await $({ timeout: '50ms', nothrow: true })`sleep 60`).signal, 'SIGTERM');

assert.strictEqual($.sync`echo in step`.stdout, 'in step\n');
