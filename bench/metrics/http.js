'use strict';

const http = require('node:http');
const { occupy } = require('../memory');

const CONNECTIONS = 30;

const rows = (goals) => [
  { id: 'rate', unit: 'requests/s', better: 'more', goals },
  { id: 'p99', unit: 'ms', better: 'less' },
];

/** val.town's "Why is spawning a new process in Node so slow?": a server that runs `echo hi` for each request. */
module.exports = {
  name: 'http',
  cases: [
    { id: 'echo', options: { megabytes: 0 }, rows: rows({ builtin: 3, bun: 1.3, tokio: 0.85 }) },
    // A server with nothing in it is the builtin's best case; one with an application and its caches is the usual one.
    { id: 'echo-256mb', options: { megabytes: 256 }, rows: rows() },
  ],
  serve({ cp }, { megabytes }) {
    occupy(megabytes);
    const server = http.createServer((request, response) => {
      // No 'error' listener: a spawn that fails must fail the trial, not be counted as a fast answer.
      cp.spawn('echo', ['hi']).stdout.pipe(response);
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
  },
  load: (quick) => [CONNECTIONS, quick ? 0.3 : 1, quick ? 1 : 4],
  limit: ({ megabytes }) => (megabytes === 0 ? ['http'] : undefined),
};
