import ours, { isNative, spawn } from 'child-process-rs';
import { $ } from 'child-process-rs/promises';
import { expect, test, vi } from 'vitest';

import jobs from '../shared/jobs.js';

test('the addon is used', () => {
  expect(isNative).toBe(true);
  expect(ours.spawn).toBe(spawn);
});

test.for(Object.entries(jobs))('%s', async ([, [job, expected]]) => {
  expect(await job(ours)).toBe(expected);
});

test('promises', async () => {
  expect((await $`echo ${'one; two'}`).stdout).toBe('one; two');
});

test('fake timers do not hold up what happens in processes', async () => {
  vi.useFakeTimers();
  try {
    for (const [job, expected] of Object.values(jobs)) expect(await job(ours)).toBe(expected);
  } finally {
    vi.useRealTimers();
  }
});
