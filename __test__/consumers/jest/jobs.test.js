'use strict';

const ours = require('child-process-rs');
const { $, execFile } = require('child-process-rs/promises');
const jobs = require('../shared/jobs');

test('the addon is used', () => expect(ours.isNative).toBe(true));

test.each(Object.entries(jobs))('%s', async (title, [job, expected]) => {
  expect(await job(ours)).toBe(expected);
});

test('promises', async () => {
  expect((await $`echo ${'one; two'}`).stdout).toBe('one; two');
  await expect(execFile('false')).rejects.toMatchObject({ exitCode: 1 });
});

test('what comes out belongs to the realm of the test', async () => {
  expect(() => ours.spawn('')).toThrow(TypeError);
  expect(() => ours.spawn('')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  expect(ours.execFileSync('echo', ['x'])).toEqual(Buffer.from('x\n'));
  expect(ours.spawnSync('echo', ['x'])).toMatchObject({
    status: 0,
    signal: null,
    output: [null, Buffer.from('x\n'), Buffer.alloc(0)],
  });
});

describe('with fake timers', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test.each(Object.entries(jobs))('%s', async (title, [job, expected]) => {
    expect(await job(ours)).toBe(expected);
  });
});

test('the registry of modules cleared: a second copy works beside the first', async () => {
  jest.resetModules();
  const again = require('child-process-rs');
  expect(again.spawn).not.toBe(ours.spawn);
  const [[job, expected]] = Object.values(jobs);
  expect(await Promise.all([job(ours), job(again)])).toEqual([expected, expected]);
});

test('in the place of the builtin, by jest.mock', async () => {
  jest.resetModules();
  jest.doMock('node:child_process', () => jest.requireActual('child-process-rs'));
  const mocked = require('node:child_process');
  expect(mocked.isNative).toBe(true);
  const [[job, expected]] = Object.values(jobs);
  expect(await job(mocked)).toBe(expected);
});
