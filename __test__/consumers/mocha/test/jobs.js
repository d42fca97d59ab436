'use strict';

const assert = require('node:assert');

const ours = require('child-process-rs');
const { $ } = require('child-process-rs/promises');
const jobs = require('../../shared/jobs');

describe('child-process-rs', () => {
  it('the addon is used', () => assert.strictEqual(ours.isNative, true));

  for (const [title, [job, expected]] of Object.entries(jobs)) {
    it(title, async () => assert.strictEqual(await job(ours), expected));
  }

  it('promises', async () => assert.strictEqual((await $`echo ${'one; two'}`).stdout, 'one; two'));
});
