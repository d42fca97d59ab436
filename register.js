'use strict';

// `node -r child-process-rs/register app.js`: everybody who loads child_process gets our functions, by either
// specifier, in CommonJS and in ES modules.

// First, because an old Node cannot parse the files that are loaded next.
if (Number(process.versions.node.split('.')[0]) < 20) throw new Error(require('./lib/addon/old-node'));

const { whenLoaded } = require('./lib/builtin/loading');

whenLoaded(() => require('./lib/builtin/takeover').takeOver());
