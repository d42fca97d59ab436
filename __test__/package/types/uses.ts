// Programs that type-check with @types/node. The test compiles this file as it stands, and again with 'child-process-rs' in the
// place of 'node:child_process': what is inferred must be the same, type by type.

import {
  ChildProcess,
  exec,
  execFile,
  execFileSync,
  execSync,
  fork,
  spawn,
  spawnSync,
  type ChildProcessByStdio,
  type ChildProcessWithoutNullStreams,
  type CommonOptions,
  type CommonSpawnOptions,
  type ExecException,
  type ExecFileException,
  type ExecFileOptions,
  type ExecFileOptionsWithStringEncoding,
  type ExecFileSyncOptions,
  type ExecOptions,
  type ExecSyncOptions,
  type ForkOptions,
  type MessageOptions,
  type PromiseWithChild,
  type SendHandle,
  type Serializable,
  type SerializationType,
  type SpawnOptions,
  type SpawnOptionsWithoutStdio,
  type SpawnSyncOptions,
  type SpawnSyncReturns,
  type StdioOptions,
} from 'node:child_process';
import child_process from 'node:child_process';
import { promisify } from 'node:util';

declare const stdio: StdioOptions;
declare const encoding: BufferEncoding;
declare const signal: AbortSignal;
declare const maybe: SpawnOptions | undefined;

export const spawned = {
  bare: spawn('ls'),
  args: spawn('ls', ['-l']),
  readonlyArgs: spawn('ls', ['-l'] as const),
  options: spawn('ls', { cwd: '/', env: { A: 'b' }, uid: 1, timeout: 1, signal, killSignal: 'SIGKILL' }),
  url: spawn('ls', [], { cwd: new URL('file:///') }),
  piped: spawn('ls', [], { stdio: 'pipe' }),
  ignored: spawn('ls', [], { stdio: 'ignore' }),
  ppp: spawn('ls', [], { stdio: ['pipe', 'pipe', 'pipe'] }),
  ppi: spawn('ls', [], { stdio: ['pipe', 'pipe', 'inherit'] }),
  pip: spawn('ls', [], { stdio: ['pipe', 'ignore', 'pipe'] }),
  ipp: spawn('ls', [], { stdio: ['ignore', 'pipe', 'pipe'] }),
  pii: spawn('ls', { stdio: ['pipe', 'ignore', 'inherit'] }),
  ipi: spawn('ls', { stdio: ['ignore', 'pipe', 'inherit'] }),
  iip: spawn('ls', { stdio: ['ignore', 'inherit', 'pipe'] }),
  iii: spawn('ls', { stdio: ['ignore', 'inherit', process.stderr] }),
  withChannel: spawn('ls', [], { stdio: ['ignore', 'inherit', 1, 'ipc'] }),
  any: spawn('ls', [], { stdio }),
  shell: spawn('ls', { shell: true }),
};

export const streams = [
  spawned.bare.stdout.read(),
  spawned.bare.stdin.write('x'),
  spawned.ipi.stdout.pipe(process.stdout),
  spawned.any.stdout?.on('data', () => {}),
];

export const executed = {
  bare: exec('ls'),
  callback: exec('ls', (error, stdout, stderr) => [error?.code, stdout.trim(), stderr.trim()]),
  buffer: exec('ls', { encoding: 'buffer' }, (error, stdout, stderr) => [
    error?.signal,
    stdout.readUInt8(),
    stderr.readUInt8(),
  ]),
  none: exec('ls', { encoding: null }, (error, stdout) => [error, stdout.length]),
  utf8: exec('ls', { encoding: 'utf8' }, (error, stdout) => [error, stdout.trim()]),
  encoding: exec('ls', { encoding }, (error, stdout) => [error, stdout.length]),
  options: exec('ls', { maxBuffer: 1, shell: '/bin/sh' }, (error, stdout) => [error, stdout.length]),
};

export const files = {
  bare: execFile('ls'),
  args: execFile('ls', ['-l']),
  nothing: execFile('ls', undefined, undefined),
  callback: execFile('ls', (error, stdout) => [error?.code, stdout.trim()]),
  argsCallback: execFile('ls', ['-l'], (error, stdout) => [error?.cmd, stdout.trim()]),
  buffer: execFile('ls', { encoding: 'buffer' }, (error, stdout) => [error, stdout.readUInt8()]),
  none: execFile('ls', ['-l'], { encoding: null }, (error, stdout) => [error, stdout.readUInt8()]),
  utf8: execFile('ls', ['-l'], { encoding: 'utf8' }, (error, stdout) => [error, stdout.trim()]),
  options: execFile('ls', ['-l'], { cwd: '/' }, (error, stdout, stderr) => [error, stdout.trim(), stderr.trim()]),
};

export const promised = {
  exec: promisify(exec),
  execString: promisify(exec)('ls'),
  execBuffer: promisify(exec)('ls', { encoding: 'buffer' }),
  execFile: promisify(execFile),
  execFileString: promisify(execFile)('ls', ['-l'], { encoding: 'utf8' }),
  execFileBuffer: promisify(execFile)('ls', { encoding: null }),
  child: promisify(execFile)('ls').child,
};

export const waited = {
  spawn: spawnSync('ls'),
  spawnArgs: spawnSync('ls', ['-l']),
  spawnString: spawnSync('ls', { encoding: 'utf8' }),
  spawnArgsString: spawnSync('ls', ['-l'], { encoding: 'utf8', input: 'x' }),
  spawnBuffer: spawnSync('ls', ['-l'], { encoding: 'buffer', input: Buffer.from('x') }),
  spawnOptions: spawnSync('ls', ['-l'], { cwd: '/' }),
  exec: execSync('ls'),
  execString: execSync('ls', { encoding: 'utf8' }),
  execBuffer: execSync('ls', { encoding: 'buffer' }),
  execOptions: execSync('ls', { stdio: 'inherit' }),
  file: execFileSync('ls'),
  fileArgs: execFileSync('ls', ['-l']),
  fileString: execFileSync('ls', { encoding: 'utf8' }),
  fileArgsString: execFileSync('ls', ['-l'], { encoding: 'utf8' }),
  fileBuffer: execFileSync('ls', ['-l'], { encoding: 'buffer' }),
};

export const forked = {
  bare: fork('a.js'),
  url: fork(new URL('file:///a.js')),
  args: fork('a.js', ['x']),
  options: fork('a.js', { silent: true, execArgv: ['--inspect'], serialization: 'advanced' }),
  all: fork('a.js', ['x'], { stdio: 'pipe', detached: true, env: {} }),
};

export function talk(child: ChildProcess, handle: SendHandle, message: Serializable, options: MessageOptions) {
  child.on('message', (received, got) => [received, got]);
  child.on('exit', (code, signalName) => [code, signalName]);
  child.once('error', (error) => error.message);
  return [
    child.send(message),
    child.send('x', handle, options, (error) => error?.message),
    child.kill('SIGTERM'),
    child.pid,
    child.channel?.ref(),
    child.exitCode,
  ];
}

export const asDefault = [child_process.spawn('ls'), child_process.execSync('ls'), new child_process.ChildProcess()];
export const asParameters: {
  spawn: Parameters<typeof spawn>;
  exec: Parameters<typeof execFile>;
  child: ReturnType<typeof spawn>;
}[] = [];
export const asTypes: {
  a: ChildProcessByStdio<null, null, null>;
  b: ChildProcessWithoutNullStreams;
  c: CommonOptions & CommonSpawnOptions;
  d: ExecException | ExecFileException;
  e: ExecFileOptions | ExecFileOptionsWithStringEncoding | ExecFileSyncOptions;
  f: ExecOptions | ExecSyncOptions;
  g: PromiseWithChild<string>;
  h: SerializationType;
  i: SpawnOptionsWithoutStdio | SpawnSyncOptions;
  j: SpawnSyncReturns<string>;
}[] = [];

export function passOn(command: string, args: readonly string[], options: SpawnOptions, forkOptions: ForkOptions) {
  return [
    spawn(command, args, options),
    spawn(command, options),
    maybe && spawn(command, maybe),
    fork(command, args, forkOptions),
    fork(command, forkOptions),
  ];
}
