'use strict';

// `node -r child-process-rs/register app.js`: whoever asks for child_process gets ours, by either specifier, from
// CommonJS and from ES modules.

const builtin = require('node:child_process');
const { syncBuiltinESMExports } = require('node:module');
const exported = require('./lib/exported');
const { isNative, version, ...ours } = require('./index.js');

Object.assign(builtin, ours);
exported.current = builtin;
syncBuiltinESMExports();
