// What is ours beside the builtin's, and that each can stand for the other.

import * as builtin from 'node:child_process';
import * as ours from 'child-process-rs';
import * as promises from 'child-process-rs/promises';
import 'child-process-rs/register';
import type { Readable, Writable } from 'node:stream';
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

// Results: what the outputs are, by the options.
expectType<string>((await promises.execFile('ls')).stdout);
expectType<string>((await promises.execFile('ls', ['-l', 7], { input: 'x', timeout: 1, cwd: '/' })).stderr);
expectType<string>((await promises.execFile('ls', { encoding: 'hex' })).stdout);
expectType<Uint8Array>((await promises.execFile('ls', { encoding: 'buffer' })).stdout);
expectType<Uint8Array>((await promises.exec('ls', { encoding: 'buffer' })).stderr);
expectType<string[]>((await promises.execFile('ls', [], { lines: true })).stdout);
expectType<string>((await promises.execFile('ls', { lines: false })).stdout);
expectType<undefined>((await promises.execFile('ls', { stdout: 'inherit' })).stdout);
expectType<string>((await promises.execFile('ls', { stdout: 'inherit' })).stderr);
expectType<undefined>((await promises.execFile('ls', { stdout: { file: 'x', append: true } })).stdout);
expectType<string>((await promises.execFile('ls', { stdout: ['pipe', 'inherit'] })).stdout);
expectType<undefined>((await promises.execFile('ls', { stdout: ['inherit', { file: 'x' }] })).stdout);
expectType<undefined>((await promises.execFile('ls', { stdio: 'inherit' })).stdout);
expectType<string>((await promises.execFile('ls', { stdio: ['ignore', 'pipe', 'ignore'] })).stdout);
expectType<undefined>((await promises.execFile('ls', { stdio: ['ignore', 'pipe', 'ignore'] })).stderr);
expectType<undefined>((await promises.execFile('ls', { buffer: false })).stdout);
expectType<string | undefined>((await promises.execFile('ls', { all: true })).all);
expectType<undefined>((await promises.execFile('ls')).all);

declare const options: promises.Options;
expectType<string | string[] | Uint8Array | undefined>((await promises.execFile('ls', options)).stdout);
declare const isShort: boolean;
expectType<string | undefined>((await promises.exec('ls', { buffer: isShort })).stdout);
expectType<string | undefined>((await promises.exec('ls', { stdout: isShort ? 'pipe' : 'ignore' })).stdout);

// Failures.
const unsure = await promises.execFile('ls', { reject: false });
expectType<promises.Result<{ readonly reject: false }> | promises.CommandError<{ readonly reject: false }>>(unsure);
expectType<number | null>(unsure.exitCode);
expectType<string>(unsure.stdout);
expectAssignable<Error>({} as promises.CommandError);
declare const thrown: unknown;
if (thrown instanceof promises.CommandError) {
  expectType<string>(thrown.shortMessage);
  expectType<string | undefined>(thrown.code);
  expectType<number | null>(thrown.exitCode);
}

const { exitCode, signal, durationMs, resourceUsage, pipedFrom } = await promises.execFile('ls');
expectType<number | null>(exitCode);
expectType<NodeJS.Signals | null>(signal);
expectType<number>(durationMs);
expectType<number | undefined>(resourceUsage?.maxRSS);
expectType<string>(pipedFrom[0]!.command);

// The handle.
const running = promises.execFile('ls');
expectAssignable<Promise<promises.Result>>(running);
expectType<number | undefined>(running.pid);
expectType<boolean>(running.kill());
expectType<boolean>(running.kill('SIGINT'));
expectType<null>(running.stdin);
expectType<Readable>(running.stdout);
expectType<Readable>(running.stderr);
expectType<Writable>(promises.execFile('ls', { stdin: 'pipe' }).stdin);
expectType<null>(promises.execFile('ls', { stdin: 'inherit' }).stdin);
expectType<Readable | null>(promises.execFile('ls', { stdout: 'inherit' }).stdout);
expectType<AsyncGenerator<string, void, void>>(running[Symbol.asyncIterator]());
expectType<AsyncGenerator<string, void, void>>(running.iterable({ from: 'all' }));
expectType<Promise<void>>(running[Symbol.asyncDispose]());
expectType<promises.Running>(running.pipe`sort ${1}`);
expectType<Uint8Array>((await running.pipe('sort', ['-r'], { encoding: 'buffer' })).stdout);
expectType<Uint8Array>((await running.pipe({ encoding: 'buffer', from: 'all' })`sort`).stdout);
expectType<promises.Running>(running.pipe(promises.$`sort`));
expectError(running.pipe({ form: 'all' })`sort`);

// Options.
expectType<string>((await promises.execFile('ls', { input: { file: 'x' } })).stdout);
expectType<string>((await promises.execFile('ls', { input: ['a', Buffer.from('b')] })).stdout);
expectType<string>((await promises.execFile('ls', { stdin: process.stdin, stderr: process.stderr })).stdout);
expectType<string>((await promises.execFile('ls', { stdin: new Set(['a']) })).stdout);
expectType<string>((await promises.execFile('ls', { stdin: Buffer.from('a') })).stdout);
expectError(promises.execFile('ls', { stdin: 'pipes' }));
expectError(promises.execFile('ls', { stdin: ['pipe', 'inherit'] }));
expectError(promises.execFile('ls', { timeuot: 1 }));
expectError(promises.execFile('ls', { cwd: '/', timeuot: 1 }));
expectError(promises.execFile('ls', { encoding: 'latin-9' }));
expectError(promises.execFile('ls', { pipefail: true }));
expectError(promises.exec('ls', { verbose: true }));

expectType<AsyncGenerator<string, void, void>>(promises.lines('ls', ['-l'], { from: 'stderr', input: 'x' }));
expectType<AsyncGenerator<string, void, void>>(promises.lines('ls', { cwd: '/' }));

// Templates.
expectType<promises.Running>(promises.$`ls ${'a'} ${1} ${['b', 2n, true]} ${await running}`);
expectType<promises.Running>(promises.sh`ls ${'a'} | wc -l`);
expectType<Uint8Array>((await promises.$({ encoding: 'buffer' })`ls`).stdout);
expectType<Uint8Array>((await promises.$({ cwd: '/' })({ encoding: 'buffer' })`ls`).stdout);
expectType<string>((await promises.$({ encoding: 'buffer' })({ encoding: 'utf8' })`ls`).stdout);
expectType<string>((await promises.sh({ pipefail: true })`ls`).stdout);
expectType<string>(promises.$.sync`ls`.stdout);
expectType<Uint8Array>(promises.$({ encoding: 'buffer' }).sync`ls`.stdout);
expectType<Uint8Array>(promises.sh.sync({ encoding: 'buffer' })`ls`.stdout);
expectError(promises.$`ls ${{ a: 1 }}`);
expectError(promises.$`ls ${undefined}`);
expectError(promises.$`ls ${running}`);
expectError(promises.$({ pipefail: true })`ls`);
