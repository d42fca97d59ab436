'use strict';

// Node's permission model (`--permission`): whether children are allowed, and what they inherit of it.

// Taken now: `register` puts ours in its place later.
const { spawn: builtinSpawn } = require('node:child_process');

const VARIABLE = 'NODE_OPTIONS=';
const SWITCHES = ['--permission', '--permission-audit'];
const MAJOR = Number(process.versions.node.split('.')[0]);

/** Whether this process runs under the permission model. */
const isRestricted = process.permission !== undefined;

function restricts(option) {
  return SWITCHES.some((name) => option === name || option.startsWith(`${name}=`));
}

/** `envPairs`, with this process's restrictions added to NODE_OPTIONS so that a Node started with `args` keeps to them. */
function passPermissions(envPairs, args) {
  if (!isRestricted || MAJOR < 22 || args.some((argument) => SWITCHES.includes(argument))) return envPairs;
  const index = envPairs.findIndex((pair) => pair.startsWith(VARIABLE));
  const given = index === -1 ? '' : envPairs[index].slice(VARIABLE.length);
  if (given.split(/\s+/).some(restricts)) return envPairs;
  const flags = process.execArgv.filter((flag) => flag.startsWith('--allow-') || flag.startsWith('--permission'));
  if (flags.length === 0) return envPairs;
  const pair = VARIABLE + [given, ...flags].filter(Boolean).join(' ');
  return index === -1 ? [...envPairs, pair] : envPairs.with(index, pair);
}

/** Whether this process may start children now. */
function mayLaunch() {
  return !isRestricted || process.permission.has('child');
}

/** Has the builtin throw its own ERR_ACCESS_DENIED: it is not allowed to start anything either. */
function throwDenied(file) {
  builtinSpawn(file);
}

module.exports = { isRestricted, mayLaunch, passPermissions, throwDenied };
