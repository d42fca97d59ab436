'use strict';

// Whether anybody sees a ChildProcess or normalised options before a launch: a subscriber of the diagnostics channels,
// or a program that has replaced the method that starts processes.

const diagnostics = require('node:diagnostics_channel');
const { isSpawnReplaced } = require('./class');
const { hooks } = require('./hooks');
const { MAJOR } = require('../common/version');

const created = diagnostics.channel('child_process');
// Only some Nodes publish the launch, those whose tracing channels can say whether anyone listens.
/** @type {any} */
const launched = MAJOR >= 24 ? diagnostics.tracingChannel('child_process.spawn') : { hasSubscribers: false };

function isWatched() {
  return hooks.isPatched() || isObserved();
}

/** The same, for callers that know that nobody has replaced the builtin's method. */
function isObserved() {
  return isSpawnReplaced() || launched.hasSubscribers || created.hasSubscribers;
}

hooks.isWatched = isWatched;

module.exports = { created, isObserved, isWatched, launched };
