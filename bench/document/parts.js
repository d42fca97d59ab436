'use strict';

// What the report measures and how it tells of it. Each part is one run of a suite, kept when it is done.

const NODES = ['builtin', 'node20', 'node22', 'node26'];
const EVERYBODY = [...NODES, 'ours', 'bun', 'deno', 'tokio'];
const CHANNELS = [...NODES, 'ours', 'bun', 'deno'];

/** `chart`: `lines` over the number that a row's name begins with, or `bars`; `rows`: by name, what they are called. */
const sections = [
  {
    id: 'spawn-memory',
    entry: 'bench/run.js',
    only: 'spawn-memory',
    contestants: EVERYBODY,
    chart: 'lines',
    title: 'Time inside spawn() against resident memory',
    note:
      "`spawn('/bin/true')` with its three pipes, median. For so long the event loop stands still. " +
      'The memory is Buffers, every page touched.',
    unit: 'µs',
    x: 'MB of Buffers in memory',
    rows: { 0: '0 MB', 512: '512 MB', 1024: '1 GB', 2048: '2 GB' },
    isLogX: false,
    suffix: 'call',
  },
  {
    id: 'http',
    entry: 'bench/run.js',
    only: 'http',
    contestants: EVERYBODY,
    chart: 'bars',
    title: 'A server that runs a program for each request',
    note:
      "`spawn('echo', ['hi'])`, its output piped into the response; " +
      '30 keep-alive connections from a process of their own. The limit is plain Rust on tokio::process.',
    unit: 'requests/s',
    rows: { 'http echo rate': 'little memory', 'http echo-256mb rate': '256 MB of Buffers' },
  },
  {
    id: 'exec',
    entry: 'bench/run.js',
    only: 'execfile-serial,execfile-30,promises-30',
    contestants: EVERYBODY,
    chart: 'bars',
    title: 'Commands a second',
    note:
      "`execFile('/bin/echo', ['hi'])`, the output checked. " +
      'The promises are `child-process-rs/promises`, elsewhere `promisify(execFile)`.',
    unit: 'commands/s',
    rows: {
      'execfile-serial echo rate': 'one after another',
      'execfile-30 echo rate': '30 at a time',
      'promises-30 echo rate': '30 promises at a time',
    },
  },
  {
    id: 'messages',
    entry: 'bench/ipc.js',
    only: 'by-size',
    contestants: CHANNELS,
    chart: 'lines',
    title: 'Messages a second from parent to child, by size',
    note:
      'Objects with a number and a text, as JSON. ' +
      'Every message is checked, and the time ends when the child has confirmed the last.',
    unit: 'messages/s',
    x: 'bytes a message',
    rows: { 100: '100 B', 1000: '1 kB', 10000: '10 kB', 100000: '100 kB', 1000000: '1 MB' },
    isLogX: true,
    suffix: 'rate',
  },
  {
    id: 'small',
    entry: 'bench/ipc.js',
    only: 'small,advanced-small',
    contestants: CHANNELS,
    chart: 'bars',
    title: 'Small messages a second',
    note: "`{ t, id, s }`, 34 bytes as JSON; `advanced` is `serialization: 'advanced'`.",
    unit: 'messages/s',
    rows: {
      'small to-child rate': 'to the child',
      'small to-parent rate': 'to the parent',
      'advanced-small to-child rate': 'advanced, to the child',
    },
  },
  {
    id: 'buffer',
    entry: 'bench/ipc.js',
    only: 'buffer-64mb',
    contestants: CHANNELS,
    chart: 'bars',
    title: 'A Buffer of 64 MB to the child',
    note: "`serialization: 'advanced'`, every page checked.",
    unit: 'MB/s',
    rows: { 'buffer-64mb to-child rate': 'to the child' },
  },
  {
    id: 'round-trip',
    entry: 'bench/ipc.js',
    only: 'round-trip',
    contestants: CHANNELS,
    chart: 'bars',
    title: 'A message to the child and its answer',
    note: 'Median, one at a time.',
    unit: 'µs',
    rows: {
      'round-trip two-cpus median': 'a CPU each',
      'round-trip one-cpu median': 'both on one CPU',
      'round-trip free median': 'as the kernel places them',
    },
  },
  {
    id: 'handles',
    entry: 'bench/ipc.js',
    only: 'handles',
    contestants: CHANNELS,
    chart: 'bars',
    title: 'Handles a second to the child',
    note:
      'Made beforehand, 500 a round; ' +
      'the child closes them when the round is over, which is not timed, nor is the making.',
    unit: 'handles/s',
    rows: {
      'handles socket rate': 'sockets',
      'handles server rate': 'servers',
      'handles dgram rate': 'datagram sockets',
    },
  },
  {
    id: 'limit',
    entry: 'bench/ipc.js',
    only: 'ipc-bench',
    contestants: ['rust'],
    chart: null,
    title: 'The native limit: 100 bytes between two Rust programs',
    note:
      'As [rigtorp/ipc-bench](https://github.com/rigtorp/ipc-bench) does it, ' +
      'whose figures are from C on one CPU at 3.3 GHz: no JavaScript, no serialization.',
  },
];

/** Who takes part, in the order of tables and legends, and what they are called. */
const CONTESTANTS = {
  ours: 'child-process-rs',
  node20: 'Node 20',
  node22: 'Node 22',
  builtin: 'Node 24',
  node26: 'Node 26',
  bun: 'Bun',
  deno: 'Deno',
  tokio: 'Rust, tokio',
  rust: 'Rust',
};

module.exports = { CONTESTANTS, sections };
