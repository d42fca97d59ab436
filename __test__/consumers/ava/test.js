'use strict';

const test = require('ava');
const ours = require('child-process-rs');
const { $ } = require('child-process-rs/promises');

const jobs = require('../shared/jobs');

test('the addon is used', (t) => t.true(ours.isNative));

for (const [title, [job, expected]] of Object.entries(jobs)) {
  test(title, async (t) => t.is(await job(ours), expected));
}

test('promises', async (t) => t.is((await $`echo ${'one; two'}`).stdout, 'one; two'));
