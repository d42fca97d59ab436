'use strict';

// The parts of the report: what is measured, and how it is shown. Each part is one run of a suite, saved when it is
// done.

const NODES = ['builtin', 'node20', 'node22', 'node26'];
const EVERYBODY = [...NODES, 'ours', 'bun', 'deno', 'tokio'];
const CHANNELS = [...NODES, 'ours', 'bun', 'deno'];

/**
 * `chart`: `lines` over the number at the start of a row's name, `bars`, or null: a table alone. `rows`: the labels of
 * the rows, by name. `command`: of the entry, which then has a number of rounds of its own.
 */
const sections = [
  {
    id: 'cold',
    entry: 'bench/run.js',
    command: 'cold',
    only: 'processes',
    contestants: ['builtin', 'ours'],
    chart: 'bars',
    title: 'A program that uses it once',
    note:
      'Cold: whole processes, from the start of `node program.js` to its end, 21 of each in turn. ' +
      'The program loads the module and starts `true` or `echo` once.',
    unit: 'ms',
    rows: {
      'cold require only wall': 'require and nothing else',
      'cold execFileSync wall': 'execFileSync',
      'cold exec wall': 'exec',
      'cold execFile wall': 'execFile',
      'cold spawn with pipes wall': 'spawn with pipes',
      'cold spawn, inherit wall': "spawn with stdio: 'inherit'",
      'cold promises wall': 'a promise',
      'cold fork, a message wall': 'fork, and a message each way',
    },
  },
  {
    id: 'memory',
    measuredWith: 'cold',
    entry: 'bench/run.js',
    command: 'cold',
    only: 'processes',
    contestants: ['builtin', 'ours'],
    chart: 'bars',
    title: 'Memory of a program that uses it once',
    note: 'Resident memory of the same programs at their end, anonymous and of files together.',
    unit: 'MB',
    rows: {
      'cold require only memory parent': 'require and nothing else',
      'cold execFileSync memory parent': 'execFileSync',
      'cold spawn with pipes memory parent': 'spawn with pipes',
      'cold fork, a message memory parent': 'fork, in the parent',
      'cold fork, a message memory child': 'fork, in the child',
    },
  },
  {
    id: 'bursts',
    entry: 'bench/run.js',
    command: 'cold',
    only: 'bursts',
    contestants: ['builtin', 'ours', 'bun', 'worker'],
    chart: null,
    title: 'The first messages to a fresh child',
    note:
      'Cold: two processes that have just started, until the other end has confirmed the last message; 7 rounds. ' +
      'For comparison also `postMessage` of `worker_threads`, although a Worker is a thread and not a process. ' +
      'Sockets are connected, sent, answered and closed.',
    unit: 'ms',
    rows: {
      'burst small 1 down': '1 small message to the child',
      'burst small 1 up': '1 to the parent',
      'burst small 10 down': '10 to the child',
      'burst small 10 up': '10 to the parent',
      'burst small 100 down': '100 to the child',
      'burst small 100 up': '100 to the parent',
      'burst small 1000 down': '1,000 to the child',
      'burst small 1000 up': '1,000 to the parent',
      'burst small 10000 down': '10,000 to the child',
      'burst small 10000 up': '10,000 to the parent',
      'burst small 100000 down': '100,000 to the child',
      'burst small 100000 up': '100,000 to the parent',
      'burst strings 1000 down': '1,000 strings of 100 characters',
      'burst kilobyte 1000 down': '1,000 objects of 1 kB',
      'burst shapes 10000 down': '10,000 objects with 97 sets of properties',
      'burst graph 1 down': 'an object of 3 MB',
      'burst graph 6 down': '6 objects of 3 MB',
      'burst sockets 50 down': '50 sockets',
      'burst sockets 400 down': '400 sockets',
      'burst sockets 2000 down': '2,000 sockets',
    },
  },
  {
    id: 'spawn-memory',
    entry: 'bench/run.js',
    only: 'spawn-memory',
    contestants: EVERYBODY,
    chart: 'lines',
    title: 'Time inside spawn() against resident memory',
    note:
      "`spawn('/bin/true')` with three pipes, median. The event loop is blocked for this time. The memory " +
      'consists of Buffers whose every page has been touched.',
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
      "`spawn('echo', ['hi'])`, with its output piped into the response. A separate process keeps 30 keep-" +
      'alive connections busy. The upper limit is plain Rust on tokio::process.',
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
      "`execFile('/bin/echo', ['hi'])`, with the output checked. For promises, this package uses `child-" +
      'process-rs/promises`, the others `promisify(execFile)`.',
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
      'Objects with a number and a string, as JSON. Every message is checked, and the clock stops when the ' +
      'child has confirmed the last one.',
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
    note: "Objects `{ t, id, s }` of 34 bytes as JSON; `advanced` means `serialization: 'advanced'`.",
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
    note: "With `serialization: 'advanced'`; every page is checked.",
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
    note: 'Median round-trip time, one message at a time.',
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
    note: '500 handles a round. Creating them before the round and closing them after it is not timed.',
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
      'The benchmark of [rigtorp/ipc-bench](https://github.com/rigtorp/ipc-bench), without JavaScript and ' +
      'without serialisation. The published figures are from C programs on one CPU at 3.3 GHz.',
  },
];

/** The contestants and their names, in the order of tables and legends. */
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
  worker: 'postMessage',
};

module.exports = { CONTESTANTS, sections };
