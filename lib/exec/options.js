'use strict';

// The options of the promise functions: which there are, what they may be, and what they are if they are not given.

const { append, findIndex, includes, join, map } = require('../common/arrays');
const { hooks, invalidType, unknownOption } = require('../common/errors');

const ofType = (type) => [(value) => typeof value === type, `of type ${type}`];
const oneOf = (...values) => [(value) => includes(values, value), `one of ${join(values, ', ')}`];
const anything = [() => true];

const isDelay = (value) => Number.isInteger(value) && value >= 0 && value <= 2 ** 31 - 1;
const isPath = (value) => typeof value === 'string' || value instanceof URL;

// Of each option a test, and what the value must be. Node checks what is only passed on.
const KNOWN = {
  __proto__: null,
  all: ofType('boolean'),
  argv0: anything,
  buffer: ofType('boolean'),
  cleanup: ofType('boolean'),
  cwd: anything,
  detached: ofType('boolean'),
  encoding: [(value) => value === 'buffer' || Buffer.isEncoding(value), "'buffer' or an encoding of Buffer"],
  env: [(value) => typeof value === 'object', 'an object'],
  extendEnv: ofType('boolean'),
  forceKillAfterDelay: [(value) => typeof value === 'boolean' || isDelay(value), 'a boolean or milliseconds'],
  gid: anything,
  input: anything,
  killSignal: anything,
  lines: ofType('boolean'),
  maxBuffer: [(value) => typeof value === 'number' && value >= 0, 'a number of bytes'],
  preferLocal: [(value) => typeof value === 'boolean' || isPath(value), 'a boolean, or a folder as a string or URL'],
  reject: ofType('boolean'),
  shell: [(value) => typeof value === 'boolean' || isPath(value), 'a boolean or a path'],
  signal: [(value) => typeof value === 'object' && 'aborted' in value, 'an instance of AbortSignal'],
  stderr: anything,
  stdin: anything,
  stdio: anything,
  stdout: anything,
  stripFinalNewline: ofType('boolean'),
  timeout: [isDelay, 'an integer of milliseconds'],
  uid: anything,
  verbose: oneOf('none', 'short', 'full'),
  windowsHide: ofType('boolean'),
  windowsVerbatimArguments: ofType('boolean'),
};

/** Options of one function only. */
const ONLY = {
  lines: { __proto__: null, from: oneOf('stdout', 'stderr', 'all') },
  pipe: { __proto__: null, from: oneOf('stdout', 'stderr', 'all') },
  sh: { __proto__: null, pipefail: ofType('boolean') },
};

const DEFAULTS = {
  __proto__: null,
  all: false,
  buffer: true,
  cleanup: true,
  encoding: 'utf8',
  forceKillAfterDelay: 5000,
  from: 'stdout',
  isBinary: false,
  isIterated: false,
  killSignal: 'SIGTERM',
  lines: false,
  maxBuffer: 100_000_000,
  pipefail: false,
  preferLocal: false,
  reject: true,
  stripFinalNewline: true,
  timeout: 0,
  verbose: 'none',
};

// What other packages call it, and what it is here.
const ELSEWHERE = {
  __proto__: null,
  cancelSignal: 'signal',
  forceKillAfterTimeout: 'forceKillAfterDelay',
  inputFile: "input: { file: '…' }",
  ipc: 'fork() of child-process-rs',
  ipcInput: 'fork() of child-process-rs',
  localDir: "preferLocal: '…'",
  node: 'execFile(process.execPath, …)',
  nodeOptions: 'execFile(process.execPath, …)',
  nothrow: 'reject: false',
  quiet: "verbose: 'none'",
};

/** What becomes an option of spawn() as it is. */
const OF_SPAWN = ['argv0', 'cwd', 'detached', 'gid', 'shell', 'uid', 'windowsHide', 'windowsVerbatimArguments'];

/** The types that an argument may have. */
const OF_ARGUMENT = ['string', 'number', 'bigint', 'boolean'];

// They have no characters for lines or newlines.
const BINARY = ['base64', 'base64url', 'hex'];

/** How many characters must be changed, at most 3, to make `one` of `other`; two that changed places are one change. */
function distance(one, other, most = 3) {
  if (one === other || most === 0) return 0;
  if (one === '' || other === '') return Math.min(most, Math.max(one.length, other.length));
  if (one[0] === other[0]) return distance(one.slice(1), other.slice(1), most);
  const rest = most - 1;
  const isSwapped = one[0] === other[1] && one[1] === other[0];
  return (
    1 +
    Math.min(
      distance(one.slice(1), other.slice(1), rest),
      distance(one.slice(1), other, rest),
      distance(one, other.slice(1), rest),
      isSwapped ? distance(one.slice(2), other.slice(2), rest) : rest,
    )
  );
}

function meant(name, names) {
  if (ELSEWHERE[name]) return ELSEWHERE[name];
  let best;
  let least = 3;
  for (let i = 0; i < names.length; i++) {
    const changes = distance(name.toLowerCase(), names[i].toLowerCase());
    if (changes < least) {
      least = changes;
      best = names[i];
    }
  }
  return best;
}

/**
 * Throws for an option that does not exist or has a wrong value. `verb`: the function whose own options are known, too.
 */
function checkOptions(options, verb) {
  if (options === undefined || options === null) return;
  if (typeof options !== 'object' || Array.isArray(options)) throw invalidType('options', 'an object', options);
  const names = Object.keys(options);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const known = KNOWN[name] ?? ONLY[verb]?.[name];
    if (known === undefined) {
      throw unknownOption(name, meant(name, Object.keys({ ...KNOWN, ...ONLY[verb] })));
    }
    const value = options[name];
    if (value !== undefined && value !== null && !known[0](value)) {
      if (known[1].startsWith('one of') || name === 'encoding') {
        throw hooks.invalidValue(`options.${name}`, value, `must be ${known[1]}`);
      }
      throw invalidType(`options.${name}`, known[1], value);
    }
  }
}

/** An argument as a string. What becomes '[object Object]' or 'undefined' is a mistake. */
function argumentOf(value, index) {
  if (includes(OF_ARGUMENT, typeof value)) return String(value);
  throw invalidType(`args[${index}]`, `of type ${join(OF_ARGUMENT, ', ')}`, value);
}

/** The arguments and the options of a call, either of which may be left out. */
function readCall(args, options) {
  if (Array.isArray(args)) return { args: map(args, argumentOf), options };
  if (args !== undefined && args !== null && typeof args !== 'object') throw invalidType('args', 'an array', args);
  return { args: [], options: args ?? options };
}

function checkSignal(value) {
  const { signals } = require('node:os').constants;
  const isKnown = typeof value === 'number' ? includes(Object.values(signals), value) : Object.hasOwn(signals, value);
  if (!isKnown) throw hooks.unknownSignal(value);
}

function refuse(name, value, reason) {
  throw hooks.invalidValue(`options.${name}`, value, reason);
}

/** Throws for options that exclude each other. */
function checkTogether(settings, verb) {
  const { encoding, input, lines, stdin, stdio } = settings;
  if (lines && (settings.isBinary || encoding === 'buffer')) refuse('lines', lines, 'needs a text as encoding');
  if (stdio !== undefined) {
    const others = ['stdin', 'stdout', 'stderr'];
    const index = findIndex(others, (name) => settings[name] !== undefined);
    if (index !== -1) refuse(others[index], settings[others[index]], 'must not be given beside options.stdio');
  }
  const own = stdio === undefined ? stdin : Array.isArray(stdio) ? stdio[0] : stdio;
  const isPiped = verb === 'pipe';
  if (isPiped && own !== 'pipe') refuse('stdin', own, "must be 'pipe', which is what another command writes to");
  if (input !== undefined && (isPiped || (own !== undefined && own !== 'pipe'))) {
    refuse('input', input, 'must not be given beside another standard input');
  }
}

/** Node takes the names of encodings in any case, and `utf-8` for `utf8`. */
function nameOf(encoding) {
  const name = encoding.toLowerCase();
  return name === 'utf-8' ? 'utf8' : name;
}

/** All options: those given, and for the others what they are then. Throws for what cannot be. */
function readOptions(given, verb) {
  checkOptions(given, verb);
  /** @type {any} */
  const settings = { __proto__: DEFAULTS };
  const names = given ? Object.keys(given) : [];
  for (let i = 0; i < names.length; i++) {
    const value = given[names[i]];
    if (value !== undefined && value !== null) settings[names[i]] = value;
  }
  if (given?.encoding) {
    settings.encoding = nameOf(settings.encoding);
    settings.isBinary = includes(BINARY, settings.encoding);
  }
  if (settings.forceKillAfterDelay === true) settings.forceKillAfterDelay = DEFAULTS.forceKillAfterDelay;
  if (given?.killSignal !== undefined) checkSignal(settings.killSignal);
  checkTogether(settings, verb);
  return settings;
}

/** The folders `node_modules/.bin` of `folder` and of those around it, the nearest first. */
function localFolders(folder) {
  const path = require('node:path');
  const folders = [];
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    append(folders, path.join(at, 'node_modules/.bin'));
    if (path.dirname(at) === at) return folders;
  }
}

const pathOf = (value) => (value instanceof URL ? require('node:url').fileURLToPath(value) : value);

/** The environment of the command; undefined: that of this process. */
function environmentOf({ cwd, env, extendEnv, preferLocal }) {
  if (!preferLocal) return env && extendEnv ? { ...process.env, ...env } : env;
  const { delimiter } = require('node:path');
  const result = { ...(env && !extendEnv ? undefined : process.env), ...env };
  const names = Object.keys(result);
  // Windows does not tell `Path` from `PATH`.
  const index = process.platform === 'win32' ? findIndex(names, (name) => /^path$/i.test(name)) : -1;
  const name = index === -1 ? 'PATH' : names[index];
  const folders = localFolders(preferLocal === true ? (pathOf(cwd) ?? '.') : pathOf(preferLocal));
  if (result[name] ?? process.env.PATH) append(folders, result[name] ?? process.env.PATH);
  result[name] = join(folders, delimiter);
  return result;
}

/** The options for spawn(). */
function spawnOptions(settings, stdio) {
  /** @type {any} */
  const options = { stdio };
  for (let i = 0; i < OF_SPAWN.length; i++) {
    const value = settings[OF_SPAWN[i]];
    if (value !== undefined) options[OF_SPAWN[i]] = value;
  }
  const env = environmentOf(settings);
  if (env !== undefined) options.env = env;
  return options;
}

module.exports = { checkOptions, pathOf, readCall, readOptions, refuse, spawnOptions };
