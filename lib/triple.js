'use strict';

// Names the binary that fits this machine: linux-x64-gnu, linux-arm64-musl, …

const fs = require('node:fs');

// Elsewhere the builtin is used.
const ARCHITECTURES = ['x64', 'arm64'];

// Offsets of the 64-bit, little-endian ELF header, the only kind among the architectures above.
const PROGRAM_HEADERS_AT = 0x20;
const PROGRAM_HEADER_SIZE = 0x36;
const PROGRAM_HEADER_COUNT = 0x38;
const PT_INTERP = 3;

/** The dynamic loader that an executable asks for, or '' where it names none. */
function elfInterpreter(file) {
  const fd = fs.openSync(file, 'r');
  try {
    const read = (length, position) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, position));
    };
    const header = read(64, 0);
    const size = header.readUInt16LE(PROGRAM_HEADER_SIZE);
    const table = read(
      size * header.readUInt16LE(PROGRAM_HEADER_COUNT),
      Number(header.readBigUInt64LE(PROGRAM_HEADERS_AT)),
    );
    for (let at = 0; at < table.length; at += size) {
      if (table.readUInt32LE(at) !== PT_INTERP) continue;
      return read(Number(table.readBigUInt64LE(at + 32)), Number(table.readBigUInt64LE(at + 8))).toString('latin1');
    }
    return '';
  } finally {
    fs.closeSync(fd);
  }
}

/** The version of glibc that this Node runs on; undefined where there is none. */
function glibcVersion() {
  const { report } = process;
  // Without this a report resolves the name of every peer that a socket is connected to.
  const excludeNetwork = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return /** @type {any} */ (report.getReport()).header.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/**
 * Which libc this Node runs on. Node's own executable names its loader, and reading that takes 0.2 ms; process.report
 * takes 4.5 ms, so it is asked only where the executable says nothing (a static build) or may not be read
 * (--permission).
 */
function libc() {
  try {
    const loader = elfInterpreter(process.execPath);
    if (loader.includes('ld-musl')) return 'musl';
    if (loader.includes('ld-linux')) return 'gnu';
  } catch {
    // Asked below instead.
  }
  return glibcVersion() ? 'gnu' : 'musl';
}

/** This machine's triple, or null where there is no native build. */
function triple() {
  const { platform, arch } = process;
  return platform === 'linux' && ARCHITECTURES.includes(arch) ? `linux-${arch}-${libc()}` : null;
}

module.exports = { triple, glibcVersion };
