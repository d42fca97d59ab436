'use strict';

// The forked end of every metric but start-up: it does what the parent tells it to.

const { cpuOver } = require('./cpu-over');
const { End } = require('./end');
const { drain, pump } = require('./flow');
const handles = require('./handles');
const payloads = require('./payloads');

const end = new End(process);

end.on('drain', ({ payload }) => {
  drain(end, payloads[payload]());
  end.tell('drain');
});

let made;
end.on('pump', async ({ payload, ms }) => {
  made ??= payloads[payload]();
  end.tell('pump', await pump(end, made, ms));
});

end.on('echo', () => {
  end.data = (message) => end.send(message);
  end.tell('echo');
});

end.on('take', () => handles.take(end));

end.on('cpu', async ({ plan }) => {
  end.data = () => {};
  end.tell('cpu', { ms: await cpuOver(plan) });
});

process.on('disconnect', () => process.exit());
end.tell('ready');
