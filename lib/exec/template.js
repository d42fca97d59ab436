'use strict';

// Command lines from template literals. Interpolated values are data and never become syntax.

const { append, join, map } = require('../common/arrays');
const { hooks } = require('../common/errors');

const WHITE = /\s+/;

/** The strings for an interpolated value: one, or one for each element of an array. */
function textsOf(value) {
  return Array.isArray(value) ? map(value, textOf) : [textOf(value)];
}

function textOf(value) {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw hooks.invalidType('interpolation', 'of type string, number, bigint or boolean, or an array of them', value);
  }
}

/**
 * The words of a command, split at white space in the literal parts. A value directly next to text is part of the
 * same word. Of an array, the first element joins the text before it and the last the text after it, as "$@" does in
 * a shell.
 */
function words(strings, values) {
  const result = [];
  let word = null;
  const finish = () => {
    if (word !== null) append(result, word);
    word = null;
  };
  for (let i = 0; i < strings.length; i++) {
    map(strings[i].split(WHITE), (part, position) => {
      if (position > 0) finish();
      if (part !== '') word = (word ?? '') + part;
    });
    if (i >= values.length) break;
    map(textsOf(values[i]), (text, position) => {
      if (position > 0) finish();
      word = (word ?? '') + text;
    });
  }
  finish();
  return result;
}

/** A command line for a POSIX shell, with every interpolated value quoted. */
function shellWords(strings, values) {
  let line = strings[0];
  for (let i = 1; i < strings.length; i++) line += join(map(textsOf(values[i - 1]), quote), ' ') + strings[i];
  return line;
}

function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

module.exports = { shellWords, words };
