'use strict';

// Node's permission model (`--permission`): whether children are allowed, and which restrictions they inherit.

const { append, copy, findIndex, includes, join, some } = require('../common/arrays');
const { builtin } = require('../builtin/originals');
const { MAJOR } = require('../common/version');

const VARIABLE = 'NODE_OPTIONS=';
const SWITCHES = ['--permission', '--permission-audit'];

/** Whether this process runs under the permission model. */
const isRestricted = process.permission !== undefined;

function restricts(option) {
  return some(SWITCHES, (name) => option === name || option.startsWith(`${name}=`));
}

/** Adds this process's restrictions to NODE_OPTIONS in `envPairs`, so that they apply to a Node started with `args`. */
function passPermissions(envPairs, args) {
  if (!isRestricted || MAJOR < 22 || some(args, (argument) => includes(SWITCHES, argument))) return envPairs;
  const index = findIndex(envPairs, (pair) => pair.startsWith(VARIABLE));
  const given = index === -1 ? '' : envPairs[index].slice(VARIABLE.length);
  if (some(given.split(/\s+/), restricts)) return envPairs;
  const { execArgv } = process;
  const words = given === '' ? [] : [given];
  for (let i = 0; i < execArgv.length; i++) {
    const isPassedOn = execArgv[i].startsWith('--allow-') || execArgv[i].startsWith('--permission');
    if (isPassedOn) append(words, execArgv[i]);
  }
  if (words.length === (given === '' ? 0 : 1)) return envPairs;
  const passing = copy(envPairs);
  passing[index === -1 ? passing.length : index] = VARIABLE + join(words, ' ');
  return passing;
}

/** Whether this process may currently start children. */
function mayLaunch() {
  return !isRestricted || process.permission.has('child');
}

/** Throws ERR_ACCESS_DENIED, by calling the builtin, which may not start children either. */
function throwDenied(file) {
  builtin.spawn(file);
}

module.exports = { isRestricted, mayLaunch, passPermissions, throwDenied };
