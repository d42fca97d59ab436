'use strict';

// Arguments of any type, as the running Node's spawn() turns them into strings.

const { map, some } = require('./arrays');

const MAJOR = Number(process.versions.node.split('.')[0]);

function isNoString(value) {
  return typeof value !== 'string';
}

/** What cannot become a string is an empty one from Node 22 on; before, it throws. */
function toArgument(value) {
  try {
    return `${value}`;
  } catch (error) {
    if (MAJOR < 22) throw error;
    return '';
  }
}

/** `args` with strings only; anything that is no array as it is. */
function asStrings(args) {
  return Array.isArray(args) && some(args, isNoString) ? map(args, toArgument) : args;
}

module.exports = { asStrings };
