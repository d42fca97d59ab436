'use strict';

// The functions of child-process-rs/promises, over any way to start commands.

const { concat, copy } = require('../common/arrays');
const { invalidType } = require('../common/errors');
const { checkOptions, pathOf, readCall, readOptions, refuse } = require('./options');
const { CommandError } = require('./result');
const { Running } = require('./running');
const { commandLine, shellScript, words } = require('./template');

const IS_WINDOWS = process.platform === 'win32';

/** What a template of `sh` runs. */
function scriptOf(strings, values, { pipefail, shell }) {
  const { script, parameters, shown } = shellScript(strings, values);
  const usual = pipefail ? 'bash' : IS_WINDOWS ? 'sh' : '/bin/sh';
  const file = typeof shell === 'string' || shell instanceof URL ? shell : usual;
  const text = pipefail ? `set -o pipefail; ${script}` : script;
  return { file, args: concat(['-c', text, 'sh'], parameters), shown };
}

/**
 * `start` starts a command, as the classes Captured and Streamed do. `spawnSync` is that of child_process.
 */
function promisesOver({ start, spawnSync }) {
  /** Runs `file` with `args`, without a shell. */
  function execFile(file, args, options) {
    file = pathOf(file);
    const call = readCall(args, options);
    const settings = readOptions(call.options);
    const shown = commandLine(String(file), call.args);
    return new Running({ file, args: call.args, settings, shown, start });
  }

  /** Runs a command line in a shell. Never put user input into it; `sh` and `$` keep interpolated values apart. */
  function exec(command, options) {
    if (typeof command !== 'string') throw invalidType('command', 'of type string', command);
    const settings = readOptions(options);
    if (typeof settings.shell !== 'string' && !(settings.shell instanceof URL)) settings.shell = true;
    return new Running({ file: command, args: [], settings, shown: command, start });
  }

  /**
   * Runs `file` and yields the lines of its output as they come. It is started when the first line is asked for. The
   * command is held back while the consumer does not ask for more lines, and ended when the consumer leaves its loop.
   * If the command fails, this throws after the last line.
   */
  function lines(file, args, options) {
    file = pathOf(file);
    const call = readCall(args, options);
    const settings = readOptions(call.options, 'lines');
    settings.isIterated = true;
    const shown = commandLine(String(file), call.args);
    return (async function* () {
      const running = new Running({ file, args: call.args, settings, shown, start });
      yield* running.iterable({ from: settings.from });
    })();
  }

  /**
   * A template tag. Called with options, it returns a tag that uses these too. `read(strings, values, settings)`
   * returns what is to be run; `verb`: whose options are known.
   */
  function tag(read, verb, options) {
    const prepare = (strings, values) => {
      const settings = readOptions(options, verb);
      const call = read(strings, values, settings);
      if (verb === 'sh') settings.shell = false;
      else if (settings.shell) refuse('shell', settings.shell, 'is for sh: $ has no shell parse its arguments');
      return { ...call, settings, start };
    };
    const withOptions = (given) => {
      if (typeof given === 'string') {
        throw invalidType('strings', 'a template, or options: a file with arguments is for execFile', given);
      }
      checkOptions(given, verb);
      return tag(read, verb, { ...options, ...given });
    };
    const run = (strings, ...values) => {
      if (!Array.isArray(strings?.raw)) return withOptions(strings);
      return new Running(prepare(strings, values));
    };
    run.sync = (strings, ...values) => {
      if (!Array.isArray(strings?.raw)) return withOptions(strings).sync;
      return require('./synchronous').runSync(spawnSync, prepare(strings, values));
    };
    return run;
  }

  /** $`ls -l ${path}`: each interpolated value is exactly one argument, and an array is several. There is no shell. */
  const $ = tag(
    (strings, values) => {
      const list = words(strings, values);
      const args = copy(list, 1);
      return { file: list[0], args, shown: commandLine(list[0], args) };
    },
    undefined,
    {},
  );

  /** sh`ls -l ${path} | wc -l`: runs in a shell, which takes each interpolated value as data. */
  const sh = tag(scriptOf, 'sh', {});

  return { $, CommandError, exec, execFile, lines, sh };
}

module.exports = { promisesOver };
