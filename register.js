'use strict';

// `node -r child-process-rs/register app.js`: whoever asks for child_process gets ours, by either specifier, from
// CommonJS and from ES modules.

// First, because it tells an old Node in a sentence what the next lines would only stumble over.
if (Number(process.versions.node.split('.')[0]) < 20) throw new Error(require('./lib/addon/old-node'));

const { whenLoaded } = require('./lib/builtin/loading');

whenLoaded(() => require('./lib/builtin/takeover').takeOver());
