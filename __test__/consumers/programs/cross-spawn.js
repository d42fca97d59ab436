'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const spawn = require('cross-spawn');

async function output(...args) {
  const child = spawn(...args);
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { stdout, code };
}

async function main() {
  assert.deepStrictEqual(await output('echo', ['one', 'two words', '$HOME']), {
    stdout: 'one two words $HOME\n',
    code: 0,
  });
  assert.deepStrictEqual(await output('sh', ['-c', 'exit 3']), { stdout: '', code: 3 });
  assert.deepStrictEqual(await output('echo "$GREETING"', { shell: true, env: { ...process.env, GREETING: 'hi' } }), {
    stdout: 'hi\n',
    code: 0,
  });

  const [error] = await once(spawn('no-such-command', ['--please']), 'error');
  assert.strictEqual(error.code, 'ENOENT');
  assert.deepStrictEqual(error.spawnargs, ['--please']);

  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cross-spawn-'));
  try {
    fs.writeFileSync(path.join(dir, 'script'), '#!/usr/bin/env node\nconsole.log(process.argv.slice(2).join("|"))\n', {
      mode: 0o755,
    });
    assert.deepStrictEqual(await output('./script', ['a b', '"'], { cwd: dir }), { stdout: 'a b|"\n', code: 0 });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }

  assert.strictEqual(spawn.sync('cat', { input: 'fed', encoding: 'utf8' }).stdout, 'fed');
  assert.strictEqual(spawn.sync('no-such-command').error.code, 'ENOENT');
}

main();
