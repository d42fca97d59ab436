'use strict';

// Which binary is looked for. Node's executable is faked, as that of each libc would be; so are platforms.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { valueFromNode } = require('../helpers/run-node');

const TRIPLE = path.resolve(__dirname, '../../lib/addon/triple.js');

test.before((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'triple-'));
});

test.after.always((t) => {
  fs.rmSync(t.context.dir, { recursive: true, force: true });
});

/** A 64-bit ELF file with one program header, which names its loader, or is of another kind. */
function executable(dir, loader) {
  const HEADER = 64;
  const ENTRY = 56;
  const name = Buffer.from(`${loader}\0`);
  const file = Buffer.alloc(HEADER + ENTRY + name.length);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeBigUInt64LE(BigInt(HEADER), 0x20);
  file.writeUInt16LE(ENTRY, 0x36);
  file.writeUInt16LE(1, 0x38);
  file.writeUInt32LE(loader ? 3 : 1, HEADER);
  file.writeBigUInt64LE(BigInt(HEADER + ENTRY), HEADER + 8);
  file.writeBigUInt64LE(BigInt(name.length), HEADER + 32);
  name.copy(file, HEADER + ENTRY);
  const written = path.join(dir, `node-${path.basename(loader) || 'static'}`);
  fs.writeFileSync(written, file);
  return written;
}

/** The triple where `process` has these properties, and its report these in the header. */
function tripleOf(faked, header) {
  const program = `
    for (const [name, value] of Object.entries(${JSON.stringify(faked)})) {
      Object.defineProperty(process, name, { value })
    }
    const header = ${JSON.stringify(header ?? null)}
    let asked = 0
    const report = { getReport() { asked += 1; return { header } }, excludeNetwork: false }
    Object.defineProperty(process, 'report', { value: report })
    const { triple } = require(${JSON.stringify(TRIPLE)})
    console.log(JSON.stringify([triple(), asked, report.excludeNetwork]))`;
  return valueFromNode(['-e', program]);
}

const LOADERS = {
  'linux-x64-gnu': '/lib64/ld-linux-x86-64.so.2',
  'linux-x64-musl': '/lib/ld-musl-x86_64.so.1',
  'linux-arm64-gnu': '/lib/ld-linux-aarch64.so.1',
  'linux-arm64-musl': '/lib/ld-musl-aarch64.so.1',
};

for (const [triple, loader] of Object.entries(LOADERS)) {
  test(`${triple}, by the loader that Node's executable names`, async (t) => {
    const [platform, arch] = triple.split('-');
    t.deepEqual(await tripleOf({ platform, arch, execPath: executable(t.context.dir, loader) }), [triple, 0, false]);
  });
}

test('an executable that names no loader, or may not be read: the report is asked', async (t) => {
  for (const execPath of [executable(t.context.dir, ''), path.join(t.context.dir, 'nowhere')]) {
    t.deepEqual(await tripleOf({ platform: 'linux', arch: 'x64', execPath }, { glibcVersionRuntime: '2.36' }), [
      'linux-x64-gnu',
      1,
      false,
    ]);
    t.deepEqual(await tripleOf({ platform: 'linux', arch: 'x64', execPath }, {}), ['linux-x64-musl', 1, false]);
  }
});

test('other platforms have no binary', async (t) => {
  const found = [
    ['darwin', 'arm64'],
    ['darwin', 'x64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
    ['freebsd', 'x64'],
  ].map(([platform, arch]) => tripleOf({ platform, arch }));
  t.deepEqual(
    (await Promise.all(found)).map(([triple]) => triple),
    [null, null, null, null, null],
  );
});
