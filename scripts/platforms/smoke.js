'use strict';

// Run by the Node of another platform: the addon is loaded, and does once each what needs no second Node of that
// platform.

const assert = require('node:assert');
const { once } = require('node:events');

const [, , root] = process.argv;
const ours = require(root);
const { native } = require(`${root}/lib/addon/native`);
const promises = require(`${root}/promises`);

async function main() {
  assert.strictEqual(ours.isNative, true);
  const { status, stdout } = ours.spawnSync('sh', ['-c', 'cat; exit 3'], { input: 'in', encoding: 'utf8' });
  assert.deepStrictEqual([status, stdout], [3, 'in']);
  const child = ours.spawn('sleep', ['60']);
  child.once('spawn', () => child.kill());
  assert.deepStrictEqual(await once(child, 'exit'), [null, 'SIGTERM']);
  assert.strictEqual((await promises.exec('echo hi')).stdout, 'hi');
  const [error] = await once(ours.spawn('a-command-that-is-not-there'), 'error');
  assert.strictEqual(error.code, 'ENOENT');
  const [code] = await once(ours.exec('exit 7'), 'exit');
  assert.strictEqual(code, 7);
  const { arch, version, report } = process;
  const libc = /** @type {any} */ (report.getReport()).header.glibcVersionRuntime;
  console.log(`${version} ${arch}, ${libc ? `glibc ${libc}` : 'musl'}: ok, by ${native.launchMethod()}`);
}

main();
