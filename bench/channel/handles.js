'use strict';

// Sockets, servers and datagram sockets sent to the child. What is not passing them, making and closing connections, is
// not measured.

const dgram = require('node:dgram');
const { once } = require('node:events');
const net = require('node:net');
const { acknowledgements } = require('./acknowledged');
const { connect } = require('./connect');

// So many go out in one tick, and so many bursts are under way.
const BURST = 50;
const WINDOW = 4;
// Made beforehand: connecting costs more than sending.
const POOL = 500;

async function listening() {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Connections that a server of ours has accepted, and their other ends. */
async function connections(server, count) {
  const { port } = server.address();
  const accepted = [];
  const clients = [];
  const complete = new Promise((resolve) => {
    server.on('connection', function take(socket) {
      accepted.push(socket);
      if (accepted.length === count) {
        server.off('connection', take);
        resolve();
      }
    });
  });
  for (let i = 0; i < count; i += 1) {
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {});
    // It would hear of the end while the handles are measured.
    client.pause();
    clients.push(client);
  }
  await complete;
  return { accepted, clients };
}

/**
 * Each kind gives `make`, which returns the handles of one round, and `done`, which takes care of what is left of it.
 */
const kinds = {
  async socket() {
    const server = await listening();
    let clients;
    return {
      async make() {
        const round = await connections(server, POOL);
        clients = round.clients;
        return round.accepted;
      },
      done() {
        for (const client of clients) client.destroy();
      },
    };
  },
  async server() {
    const server = await listening();
    return { make: () => Array(POOL).fill(server), done() {} };
  },
  async dgram() {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { make: () => Array(POOL).fill(socket), done() {} };
  },
};

/** The child's part: says so after each burst, and gives them up when it is told to. */
function take(end) {
  let taken = [];
  end.data = (message, handle) => {
    if (!handle) throw new Error(`message ${message} came without its handle`);
    taken.push(handle);
    if (taken.length % BURST === 0) end.tell('ack');
  };
  end.on('drop', () => {
    for (const handle of taken) {
      if (handle.destroy) handle.destroy();
      else handle.close();
    }
    taken = [];
    // Closed when this turn of the loop is over.
    setImmediate(() => end.tell('drop'));
  });
  end.tell('take');
}

/** Sends all of them and waits until the child has the last. */
async function sendAll(end, handles) {
  const acknowledged = acknowledgements(end);
  for (let sent = 0; sent < handles.length; sent += 1) {
    end.send(sent, handles[sent]);
    if (sent % BURST === BURST - 1) await acknowledged.reach((sent + 1) / BURST - WINDOW + 1);
  }
  await acknowledged.reach(handles.length / BURST);
}

async function measure({ cp, quick }, { kind, childEnd, serialization }) {
  const end = await connect(cp, { childEnd, serialization });
  await end.ask('take');
  const { make, done } = await kinds[kind]();
  const round = async () => {
    const handles = await make();
    const from = performance.now();
    await sendAll(end, handles);
    const taken = performance.now() - from;
    await end.ask('drop');
    done();
    return taken;
  };
  for (let i = 0; i < (quick ? 1 : 3); i += 1) await round();
  let taken = 0;
  let count = 0;
  while (taken < (quick ? 200 : 1500)) {
    taken += await round();
    count += POOL;
  }
  return { rate: count / (taken / 1000) };
}

const rows = (goals) => [{ id: 'rate', unit: 'handles/s', better: 'more', goals }];

const casesOf = (options, goals) =>
  Object.keys(kinds).map((kind) => ({ id: kind, options: { ...options, kind }, rows: rows(goals) }));

module.exports = {
  measure,
  take,
  metric: { name: 'handles', cases: casesOf({}, { builtin: 4, bun: 1 }), measure },
  builtinChildCases: casesOf({ childEnd: 'builtin' }, { builtin: 1 }),
};
