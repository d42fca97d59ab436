'use strict';

// options.stdio in the form that subscribers of the diagnostics channel get: one object for each of the child's
// descriptors. The builtin's objects also have the handles of its pipes; this package has no such handles.

const STANDARD = 3;
// The `wrapType` of a handle, by its class.
const WRAP_TYPES = { Pipe: 'pipe', TCP: 'tcp', TTY: 'tty', UDP: 'udp' };

/** A stream or a handle. */
function describeWrapped(entry) {
  const typeOf = (value) => WRAP_TYPES[value?.constructor?.name];
  const handle = typeOf(entry) ? entry : typeOf(entry.handle) ? entry.handle : entry._handle;
  return { type: 'wrap', wrapType: typeOf(handle), handle, _stdio: entry };
}

function describeEntry(entry, index) {
  entry ??= index < STANDARD ? 'pipe' : 'ignore';
  if (entry === 'ignore') return { type: 'ignore' };
  if (entry === 'ipc') return { type: 'pipe', ipc: true };
  if (entry === 'inherit') return { type: 'inherit', fd: index };
  if (entry === 'pipe' || entry === 'overlapped' || entry < 0) {
    return { type: entry === 'overlapped' ? entry : 'pipe', readable: index === 0, writable: index !== 0 };
  }
  const fd = typeof entry === 'number' ? entry : entry.fd;
  return typeof fd === 'number' ? { type: 'fd', fd } : describeWrapped(entry);
}

function describeStdio(stdio) {
  const entries = Array.isArray(stdio) ? stdio : Array(STANDARD).fill(stdio || 'pipe');
  const shorthand = stdio === 'inherit' ? [0, 1, 2] : entries;
  return Array.from({ length: Math.max(shorthand.length, STANDARD) }, (_, index) =>
    describeEntry(shorthand[index], index),
  );
}

module.exports = { describeStdio };
