'use strict';

// `node -r child-process-rs/register app.js`: whoever asks for child_process gets ours, by either specifier, from
// CommonJS and from ES modules.

// First, because it tells an old Node in a sentence what the next lines would only stumble over.
const { isNative, version, ...ours } = require('./index.js');
const { syncBuiltinESMExports } = require('node:module');
const { replaceBuiltin } = require('./lib/builtin');
const exported = require('./lib/exported');

exported.current = replaceBuiltin(ours);
syncBuiltinESMExports();
