'use strict';

// What our fork() puts into the environment of a child that is to have the native end of its channel, for a parent that
// is the builtin.

const FORBIDDING = [
  '--permission',
  '--experimental-permission',
  '--permission-audit',
  '--no-addons',
  '--env-file',
  '--env-file-if-exists',
  '--watch',
  '--watch-path',
];

/** Whether fork() would give a child of these options the native end. */
function mayBeNative({ execPath, env, uid, gid }, execArgv) {
  const isRefused = [process.env, env].some((variables) => variables.CHILD_PROCESS_RS_CHANNEL === 'builtin');
  const flags = [...execArgv, ...String(env.NODE_OPTIONS ?? '').split(/\s+/)].map(String);
  const isForbidden = flags.some((flag) => FORBIDDING.includes(flag.split('=')[0]));
  return (
    !isRefused &&
    !isForbidden &&
    execPath === process.execPath &&
    uid === undefined &&
    gid === undefined &&
    process.permission === undefined
  );
}

/** Turns the builtin's announcement, among `NAME=value` strings, into ours. `folder`: that of our files. */
function announce(envPairs, folder) {
  const find = (name) => envPairs.findLastIndex((pair) => pair.startsWith(`${name}=`));
  const take = (name) => (find(name) === -1 ? undefined : envPairs.splice(find(name), 1)[0].slice(name.length + 1));
  const set = (name, value) => envPairs.splice(find(name) === -1 ? envPairs.length : find(name), 1, `${name}=${value}`);
  const { REQUIRE } = require(`${folder}/lib/channel/native-end.js`);
  // What is published has its sources in a few files.
  const published = require(`${folder}/index.js`)[Symbol.for('child-process-rs.loader')];
  const { file } = published ? published.loadSource('lib/addon/native') : require(`${folder}/lib/addon/native.js`);
  const fields = { fd: Number(take('NODE_CHANNEL_FD')), serialization: take('NODE_CHANNEL_SERIALIZATION_MODE') };
  // Another channel's, that the caller passes on.
  take('NODE_CHANNEL_FD');
  const options = envPairs[find('NODE_OPTIONS')]?.slice('NODE_OPTIONS='.length);
  fields.hadOptions = options !== undefined;
  set('NODE_OPTIONS', `${REQUIRE} ${options ?? ''}`);
  if (find('CHILD_PROCESS_RS_BINARY') === -1) {
    fields.hasBinary = true;
    set('CHILD_PROCESS_RS_BINARY', file);
  }
  fields.worker = take('NODE_UNIQUE_ID');
  take('CHILD_PROCESS_RS_CHANNEL');
  envPairs.push(`CHILD_PROCESS_RS_CHANNEL=${JSON.stringify(fields)}`);
}

module.exports = { announce, mayBeNative };
