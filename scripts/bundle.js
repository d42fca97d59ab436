'use strict';

// The JavaScript that is published: a file for each use, in which a call finds all that it needs. Each file of its own
// takes 0.5 ms of CPU time to find, read and compile, and there are thirty of ours; and compiling takes time for every
// line, so nobody gets all of them. A checkout runs the sources.

const fs = require('node:fs');
const path = require('node:path');
const { transformSync } = require('esbuild');
const { version } = require('../package.json');
const { joined } = require('./source-map');

const ROOT = path.join(__dirname, '..');

const OF_LAUNCH = [
  'lib/common/arrays',
  'lib/process/environment',
  'lib/common/errors',
  'lib/process/hooks',
  'lib/process/permission',
];
const OF_RUNTIME = ['lib/addon/node', 'lib/addon/runtime', 'lib/common/ticks'];
const OF_PROCESS = [
  ...OF_LAUNCH,
  ...OF_RUNTIME,
  'lib/common/attachment',
  'lib/process/child',
  'lib/process/context',
  'lib/process/process',
  'lib/process/sockets',
  'lib/process/spawn',
  'lib/process/started',
  'lib/process/stdio',
  'lib/process/streams',
  'lib/process/watchers',
];
const OF_CHANNEL = [
  'lib/channel/channel',
  'lib/channel/deliveries',
  'lib/channel/link',
  'lib/channel/native-end',
  'lib/channel/serialization',
];

const OF_CALLS = [
  'lib/builtin/exported',
  'lib/builtin/originals',
  'lib/calls',
  'lib/common/version',
  'lib/process/class',
];

// By the file, the sources that are in it. The first is what the file itself is for. A source that a file does not have
// is looked for in the first that has it.
const BUNDLES = {
  'lib/builtin/takeover': ['lib/builtin/takeover', ...OF_CALLS],
  'lib/addon/native': ['lib/addon/native'],
  'lib/process/sync': ['lib/process/sync', ...OF_LAUNCH],
  'lib/process/spawn': OF_PROCESS,
  'lib/exec/exec': ['lib/exec/exec', ...OF_PROCESS],
  'lib/channel/channel': OF_CHANNEL,
  'lib/channel/native-end': [
    'lib/channel/native-end',
    ...OF_CHANNEL,
    ...OF_RUNTIME,
    'lib/common/arrays',
    'lib/common/clock',
    'lib/common/errors',
    'lib/builtin/listed',
    'lib/addon/native',
    'lib/common/version',
  ],
  'lib/exec/promises': [
    'lib/exec/promises',
    'lib/exec/cleanup',
    'lib/exec/captured',
    'lib/exec/launchers',
    'lib/exec/options',
    'lib/exec/output',
    'lib/exec/redirect',
    'lib/exec/result',
    'lib/exec/run',
    'lib/exec/running',
    'lib/exec/template',
    ...OF_LAUNCH,
    ...OF_RUNTIME,
    'lib/process/sockets',
    'lib/process/started',
    'lib/process/streams',
    'lib/process/watchers',
  ],
  'lib/exec/streamed': ['lib/exec/streamed', ...OF_PROCESS],
  'lib/exec/synchronous': ['lib/exec/synchronous', 'lib/process/sync'],
  'index': ['index', 'lib/addon/native', 'lib/builtin/listed', 'lib/common/clock', ...OF_CALLS],
  'promises': ['promises'],
  'register': ['register', 'lib/builtin/listed', 'lib/builtin/loading', 'lib/common/clock'],
};

// It runs by itself, with sources of its own.
const ALONE = ['lib/channel/native-end'];

// They share their sources: the one that is loaded later finds them in what the other exports.
const SHARING = { index: 'register', register: 'index' };

// Published as they are: they run when the package is installed, or when something is wrong.
const KEPT = ['lib/addon/locate', 'lib/addon/old-node', 'lib/addon/triple'];

// Under this symbol `index.js` and `register.js` have it for the other entry points.
const LOADER = "Symbol.for('child-process-rs.loader')";

const OFFERS_LOADER = `Object.defineProperty(module.exports, ${LOADER}, { value: { loadSource, sources } });\n`;

const REFUSES_OLD_NODES = `if (Number(process.versions.node.split('.')[0]) < 20) {
  throw new Error(require('./lib/addon/old-node.js'));
}
`;

// `loadSource` runs a source the first time; where the file with it is not there yet, it brings more sources. Node's
// require() takes 0.4 to 1 ms to find a file, and is needed only where `module` is not Node's.
const LOADER_TEXT = `const { readFileSync } = require('fs');
function loader() {
  const sources = {};
  const loaded = {};
  function bring(file) {
    if (!module.constructor.prototype._compile) return require('./' + file);
    const path = __dirname + '/' + file;
    const brought = new module.constructor(path, module);
    brought.filename = path;
    brought._compile(readFileSync(path, 'utf8'), path);
    brought.loaded = true;
    return brought.exports;
  }
  function loadSource(name, file) {
    if (loaded[name] === undefined) {
      if (sources[name] === undefined) bring(file)(sources, loadSource);
      loaded[name] = { exports: {} };
      try {
        sources[name](loaded[name]);
      } catch (error) {
        delete loaded[name];
        throw error;
      }
    }
    return loaded[name].exports;
  }
  return { loadSource, sources };
}
`;

/** How `file` gets its loader. */
function loaderOf(file) {
  if (SHARING[file] === undefined) return `${LOADER_TEXT}const { loadSource, sources } = loader();\n`;
  return `${LOADER_TEXT}const other = (require.cache || {})[__dirname + '/${SHARING[file]}.js'];
const { loadSource, sources } = (other && other.exports[${LOADER}]) || loader();
`;
}

/** The file that a source is looked for in where it is not there yet. */
function fileOf(source) {
  const file = Object.keys(BUNDLES).find((name) => !ALONE.includes(name) && BUNDLES[name].includes(source));
  if (file === undefined) throw new Error(`scripts/bundle.js does not say which file ${source} is in`);
  return file;
}

function relative(from, to) {
  const file = path.posix.relative(path.posix.dirname(from), to);
  return `${file.startsWith('.') ? '' : './'}${file}.js`;
}

/** What `require(asked)` in `source` becomes in `file`. */
function requiring(asked, source, file) {
  const target = path.posix.join(path.posix.dirname(source), asked).replace(/\.js$/, '');
  if (target === 'package.json') return JSON.stringify({ version });
  if (KEPT.includes(target)) return `require('${relative(file, target)}')`;
  if (ALONE.includes(file) && !BUNDLES[file].includes(target)) {
    return `require('${relative(file, 'index')}')[${LOADER}].loadSource('${target}')`;
  }
  // Relative to where the loader is.
  return `loadSource('${target}', '${ALONE.includes(file) ? path.posix.basename(file) : fileOf(target)}.js')`;
}

/** `source` as a part of `file`. */
function transformed(source, file) {
  const text = fs.readFileSync(path.join(ROOT, `${source}.js`), 'utf8');
  const code = text
    .replace("'use strict';", '')
    .replace(/\brequire\('(\.\.?\/[^']+)'\)/g, (_, asked) => requiring(asked, source, file))
    .replace(
      /\b__dirname\b/g,
      path.posix.dirname(source) === path.posix.dirname(file)
        ? '__dirname'
        : `\`\${__dirname}/${path.posix.relative(path.posix.dirname(file), path.posix.dirname(source))}\``,
    );
  // Takes the comments out. An entry point is read by Nodes that are too old, to say so.
  const target = file.startsWith('lib/') ? 'node20' : 'node12';
  return transformSync(code, { sourcefile: `${relative(file, source)}`, sourcemap: 'external', target });
}

const linesIn = (text) => text.split('\n').length - 1;

/** How an entry point shares the sources of `index.js`. */
function sharing(file) {
  const sentence = `child-process-rs/${file} does not work where child-process-rs is mocked: mock it, too`;
  return `const shared = require('./index.js')[${LOADER}];
if (!shared) throw new Error('${sentence}.');
const { loadSource, sources } = shared;
`;
}

/** Writes a file and its source map. */
function write(out, file) {
  const [own] = BUNDLES[file];
  const isEntry = !file.startsWith('lib/');
  const hasLoader = SHARING[file] !== undefined || ALONE.includes(file);
  let text = `'use strict';\n`;
  if (isEntry) text += REFUSES_OLD_NODES;
  if (hasLoader) text += loaderOf(file);
  else if (isEntry) text += sharing(file);
  // In parentheses, which have V8 compile it at once rather than read it twice.
  else text += 'module.exports = ((sources, loadSource) => {\n';
  const sections = [];
  for (const source of new Set(BUNDLES[file])) {
    // In parentheses, too: nearly all of them run at once.
    const { code: transformedCode, map } = transformed(source, file);
    // Written so, Node does not take them for names that can be imported from the file.
    const code = source === own ? transformedCode : transformedCode.replace('module.exports =', "module['exports'] =");
    text += `if (!sources['${source}']) sources['${source}'] = ((module) => {\n`;
    sections.push({ line: linesIn(text), map: JSON.parse(map) });
    text += `${code}});\n`;
  }
  if (hasLoader || isEntry) text += `module.exports = loadSource('${own}');\n`;
  else text += '});\n';
  if (SHARING[file]) text += OFFERS_LOADER;
  if (file === 'index') text += importable(own);
  fs.writeFileSync(path.join(out, `${file}.js`), `${text}//# sourceMappingURL=${path.basename(file)}.js.map\n`);
  fs.writeFileSync(path.join(out, `${file}.js.map`), JSON.stringify(joined(sections)));
}

/** The line of an entry point from which Node learns the names that can be imported. */
function importable(source) {
  const text = fs.readFileSync(path.join(ROOT, `${source}.js`), 'utf8');
  return /^0 && \(module\.exports = \{[^}]*\}\);\n/m.exec(text)[0];
}

/** Writes the JavaScript of the package into `out`. */
function bundle(out) {
  for (const name of [...KEPT, ...Object.keys(BUNDLES)]) {
    fs.mkdirSync(path.join(out, path.dirname(name)), { recursive: true });
  }
  for (const name of KEPT) fs.copyFileSync(path.join(ROOT, `${name}.js`), path.join(out, `${name}.js`));
  for (const file of Object.keys(BUNDLES)) write(out, file);
}

module.exports = { bundle };

// For `npm pack` in a checkout, which packs files only under the names that they have: scripts/install.js moves them.
if (require.main === module) bundle(path.resolve(process.argv[2]));
