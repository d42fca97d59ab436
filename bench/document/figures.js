'use strict';

// The table of the two READMEs: some of the report's figures, between two marks.

const MARK = /(<!-- figures -->\n)[\s\S]*?(<!-- \/figures -->)/;

const duration = (us) => (us >= 1000 ? `${Number((us / 1000).toPrecision(2))} ms` : `${Number(us.toPrecision(2))} µs`);
const count = (value) => Number(value.toPrecision(3)).toLocaleString('en-US');

// The row of the report, how its figure is written, and what it is called in English and in Chinese.
const FIGURES = [
  [
    'cold execFile wall',
    (ms) => duration(ms * 1000),
    'cold: a program that runs one command (`execFile`)',
    '冷启动：只运行一条命令（`execFile`）的程序',
  ],
  [
    'burst small 1000 down',
    (ms) => duration(ms * 1000),
    'cold: 1,000 messages to a fresh child',
    '冷启动：发给新子进程的 1,000 条消息',
  ],
  ['spawn-memory 0 call', duration, 'inside `spawn()`, little memory', '`spawn()` 调用耗时，内存占用小'],
  [
    'spawn-memory 2048 call',
    duration,
    'inside `spawn()`, 2 GB of Buffers in memory',
    '`spawn()` 调用耗时，持有 2 GB Buffer',
  ],
  [
    'http echo rate',
    (n) => `${count(n)} requests/s`,
    'HTTP server that runs `echo hi` per request',
    '每个请求运行一次 `echo hi` 的 HTTP 服务器',
  ],
  [
    'http echo-256mb rate',
    (n) => `${count(n)} requests/s`,
    'the same, 256 MB of Buffers in memory',
    '同上，持有 256 MB Buffer',
  ],
  [
    'execfile-30 echo rate',
    (n) => `${count(n)} /s`,
    "`execFile('echo')`, 30 at a time",
    "`execFile('echo')`，同时 30 个",
  ],
  ['small to-child rate', (n) => `${count(n)} /s`, 'small messages to a forked child', '发给子进程的小消息'],
  ['round-trip two-cpus median', duration, 'a message and its answer, two CPUs', '一条消息及其回答，两个 CPU'],
  [
    'buffer-64mb to-child rate',
    (n) => `${count(n)} MB/s`,
    'a Buffer of 64 MB to a forked child (`advanced`)',
    '把 64 MB 的 Buffer 发给子进程（`advanced`）',
  ],
  ['handles socket rate', (n) => `${count(n)} /s`, 'sockets to a forked child', '发给子进程的套接字'],
];

const LANGUAGES = {
  'README.md': {
    name: 2,
    head: ({ cores }) => `Node 24 on Linux x64, ${cores} cores`,
    rivals: ['builtin', 'child-process-rs'],
    note:
      'Written by `npm run bench -- --report`. ' +
      'All figures, the machine and the method: [docs/benchmarks.md](docs/benchmarks.md).',
    doubts: {
      quick: '**From a `--quick` run, which shows that everything works, not how fast.**',
      busy: '**The machine was busy with other things: not figures to compare.**',
    },
  },
  'README.zh-CN.md': {
    name: 3,
    head: ({ cores }) => `Node 24，Linux x64，${cores} 核`,
    rivals: ['内置模块', 'child-process-rs'],
    note: '由 `npm run bench -- --report` 写出。全部数据，以及机器、测量方法和对比对象：[docs/benchmarks.md](docs/benchmarks.md)。',
    doubts: {
      quick: '**来自 `--quick` 的试运行：只说明一切都能运行，不说明有多快。**',
      busy: '**测量时机器正忙于其他工作：这些数据不能用来比较。**',
    },
  },
};

/** Why figures are none to compare; undefined where they are. */
function doubtOf({ quick, loadAverage, cores }) {
  if (quick) return 'quick';
  return loadAverage > cores ? 'busy' : undefined;
}

function figuresTable({ about, rows }, { name, head, rivals, note, doubts }) {
  const lines = FIGURES.flatMap((figure) => {
    const [row, write] = figure;
    const { builtin, ours } = rows[row]?.medians ?? {};
    return builtin && ours ? `| ${figure[name]} | ${write(builtin)} | **${write(ours)}** |` : [];
  });
  const doubt = doubts[doubtOf(about)];
  return [
    '',
    `| ${head(about)} | ${rivals.join(' | ')} |`,
    '|---|---|---|',
    ...lines,
    '',
    ...(doubt ? [doubt, ''] : []),
    note,
    '',
  ].join('\n');
}

const doubtIn = (file, about) => LANGUAGES[file].doubts[doubtOf(about)];

/** `text`, the README `file`, with the report's figures in it. */
function withFigures(file, text, data) {
  if (!MARK.test(text)) throw new Error(`${file} has no <!-- figures --> … <!-- /figures -->`);
  return text.replace(MARK, (_, open, close) => `${open}${figuresTable(data, LANGUAGES[file])}\n${close}`);
}

module.exports = { READMES: Object.keys(LANGUAGES), doubtIn, withFigures };
