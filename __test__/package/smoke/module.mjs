// The same package from an ES module, and from a program that knows only the builtin once register is loaded.
import ours, { execFileSync, isNative, spawn } from 'child-process-rs';
import * as all from 'child-process-rs';
import { spawn as builtinSpawn } from 'node:child_process';
import 'child-process-rs/register';
import { spawn as registered } from 'child_process';

console.log(
  JSON.stringify({
    isNative,
    same: [ours.spawn === spawn, all.spawn === spawn, builtinSpawn === spawn, registered === spawn],
    echo: execFileSync('echo', ['hello'], { encoding: 'utf8' }),
    promises: Object.keys(await import('child-process-rs/promises')).includes('execFile'),
  }),
);
