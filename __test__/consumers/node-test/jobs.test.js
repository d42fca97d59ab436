'use strict';

const assert = require('node:assert');
const { test } = require('node:test');

const ours = require('child-process-rs');
const { $ } = require('child-process-rs/promises');
const jobs = require('../shared/jobs');

test('the addon is used', () => assert.strictEqual(ours.isNative, true));

for (const [title, [job, expected]] of Object.entries(jobs)) {
  test(title, async () => assert.strictEqual(await job(ours), expected));
}

test('promises', async () => assert.strictEqual((await $`echo ${'one; two'}`).stdout, 'one; two'));
