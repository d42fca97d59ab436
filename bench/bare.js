'use strict';

// A program that does nothing but exit: 129 bytes of ELF, no libc and no dynamic linker. /bin/true is not nothing: its
// loader alone can cost more than launching it (each CPUID it asks traps where the machine is virtual: 600 µs
// measured), which hides what the launcher does.

const fs = require('node:fs');
const path = require('node:path');
const { cache } = require('./paths');

const BASE = 0x400000;
const HEADERS = 64 + 56;
// xor edi, edi; mov eax, SYS_exit; syscall
const CODE = Buffer.from([0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]);

function elf() {
  const file = Buffer.alloc(HEADERS);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(BASE + HEADERS), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers follow this header
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56); // one of them
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(BigInt(BASE), 80);
  file.writeBigUInt64LE(BigInt(BASE), 88);
  file.writeBigUInt64LE(BigInt(HEADERS + CODE.length), 96);
  file.writeBigUInt64LE(BigInt(HEADERS + CODE.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([file, CODE]);
}

/** Its path; made when first asked for. */
function bareProgram() {
  const target = path.join(cache, 'bare');
  if (!fs.existsSync(target)) {
    fs.mkdirSync(cache, { recursive: true });
    const draft = `${target}.${process.pid}`;
    fs.writeFileSync(draft, elf(), { mode: 0o755 });
    fs.renameSync(draft, target);
  }
  return target;
}

module.exports = { bareProgram, canRunBare: process.arch === 'x64' };
