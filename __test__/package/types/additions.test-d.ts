// What is ours beside the builtin's, and that each can stand for the other.

import * as builtin from 'node:child_process';
import * as ours from 'child-process-rs';
import * as promises from 'child-process-rs/promises';
import 'child-process-rs/register';
import { expectAssignable, expectError, expectType } from 'tsd';

expectAssignable<typeof builtin>(ours);
expectAssignable<Omit<typeof ours, 'isNative' | 'version'>>(builtin);
expectType<typeof builtin.exec>(ours.exec);
expectType<typeof builtin.execFile>(ours.execFile);
expectType<typeof builtin.execFileSync>(ours.execFileSync);
expectType<typeof builtin.execSync>(ours.execSync);
expectType<typeof builtin.spawnSync>(ours.spawnSync);
expectType<typeof builtin.ChildProcess>(ours.ChildProcess);
expectAssignable<typeof builtin.fork>(ours.fork);
expectAssignable<typeof ours.fork>(builtin.fork);
expectAssignable<typeof builtin.spawn>(ours.spawn);
expectAssignable<typeof ours.spawn>(builtin.spawn);
expectAssignable<ours.ForkOptions>({} as builtin.ForkOptions);
expectAssignable<builtin.ForkOptions>({} as ours.ForkOptions);

expectType<boolean>(ours.isNative);
expectType<string>(ours.version);
expectType<ours.ChildProcess>(ours.fork('a.js', { nativeChannel: false, busyPoll: 0, maxMessageSize: 1e6 }));
expectType<ours.ChildProcess>(ours.fork('a.js', [], { nativeChannel: undefined }));
expectType<ours.ChildProcess>(
  ours.spawn('ls', [], { stdio: ['pipe', 'pipe', 'pipe', 'ipc'], busyPoll: 20, maxMessageSize: 1e6 }),
);
expectType<ours.ChildProcess>(ours.spawn('ls', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'], busyPoll: 20 }));
expectError(ours.fork('a.js', { busyPoll: 'long' }));
expectError(ours.fork('a.js', { nativeChannels: true }));
expectError(ours.spawn('ls', [], { maxMessageSize: '1 MB' }));
expectError(ours.spawn('ls', [], { nativeChannel: true }));
expectError(ours.spawn());
// The builtin's own types are left alone.
expectError(builtin.fork('a.js', { busyPoll: 1 }));

expectType<Promise<promises.Result>>(promises.execFile('ls'));
expectType<Promise<promises.Result>>(promises.execFile('ls', ['-l'], { input: 'x', timeout: 1, cwd: '/' }));
expectType<Promise<promises.Result<Buffer>>>(promises.execFile('ls', { encoding: 'buffer' }));
expectType<Promise<promises.Result<Buffer>>>(promises.execFile('ls', [], { encoding: null }));
expectType<Promise<promises.Result>>(promises.exec('ls', { shell: '/bin/bash' }));
expectType<Promise<promises.Result<Buffer>>>(promises.exec('ls', { encoding: 'buffer' }));
expectType<AsyncGenerator<string, void, void>>(promises.lines('ls', ['-l']));
expectType<AsyncGenerator<string, void, void>>(promises.lines('ls', { cwd: '/' }));
expectType<Promise<promises.Result>>(promises.$`ls ${'a'} ${1} ${['b', 2n, true]}`);
expectType<Promise<promises.Result>>(promises.sh`ls ${'a'} | wc -l`);
expectType<promises.Tag>(promises.$({ cwd: '/' }));
expectType<Promise<promises.Result>>(promises.sh({ timeout: 1 })`ls`);
expectError(promises.$`ls ${{ a: 1 }}`);
expectError(promises.$`ls ${undefined}`);
expectError(promises.execFile('ls', { encoding: 'latin-9' }));

const { stdout, exitCode, signal, durationMs, resourceUsage } = await promises.execFile('ls');
expectType<string>(stdout);
expectType<number | null>(exitCode);
expectType<NodeJS.Signals | null>(signal);
expectType<number>(durationMs);
expectType<number | undefined>(resourceUsage?.maxRSS);
