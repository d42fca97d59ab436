'use strict';

// Commands from template literals. Quotes in the literal text are read as a POSIX shell reads them. Interpolated values
// are data and never become syntax.

const { append, concat, join, map } = require('../common/arrays');
const { invalidType, hooks } = require('../common/errors');
const { outputOf } = require('./result');

const WHITE = /\s/;
// What a backslash escapes between double quotes.
const ESCAPED = '$`"\\\n';

// In JavaScript's own syntax a literal can contain these only with a backslash before them.
const ONLY_ESCAPED = /\\`|\\\$\{|\$\\\{/g;

/** The literal parts as they were typed: a backslash is the shell's, not JavaScript's. */
function literals(strings) {
  return map(strings.raw, (text) => text.replace(ONLY_ESCAPED, (found) => found.replace('\\', '')));
}

/** The strings for an interpolated value: one, or one for each element of an array. */
function textsOf(value) {
  const given = outputOf(value);
  return Array.isArray(given) ? map(given, textOf) : [textOf(given)];
}

function textOf(value) {
  const given = outputOf(value);
  switch (typeof given) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(given);
    default:
      throw invalidType(
        'interpolation',
        `of type string, number, bigint or boolean, or the result of a command, or an array of them${
          typeof given?.then === 'function' ? ' (await the command first)' : ''
        }`,
        value,
      );
  }
}

/** Collects the words of a command. */
class Words {
  #words = [];
  #word = null;
  #quote = '';

  #add(text) {
    this.#word = (this.#word ?? '') + text;
  }

  #finish() {
    if (this.#word !== null) append(this.#words, this.#word);
    this.#word = null;
  }

  /** Literal text. */
  read(text) {
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (character === '\\' && this.#escapes(text[i + 1])) {
        i++;
        // An escaped newline continues the line.
        if (text[i] !== '\n') this.#add(text[i]);
      } else if (this.#quote !== '') {
        if (character === this.#quote) this.#quote = '';
        else this.#add(character);
      } else if (character === '"' || character === "'") {
        this.#quote = character;
        this.#add('');
      } else if (WHITE.test(character)) {
        this.#finish();
      } else {
        this.#add(character);
      }
    }
  }

  #escapes(next) {
    if (next === undefined || this.#quote === "'") return false;
    return this.#quote === '' || ESCAPED.includes(next);
  }

  /**
   * The texts of an interpolated value. A value next to literal text is part of the same word. Of an array, the first
   * element joins the text before it and the last the text after it, as "$@" does in a shell.
   */
  insert(texts) {
    for (let i = 0; i < texts.length; i++) {
      if (i > 0) this.#finish();
      this.#add(texts[i]);
    }
  }

  end(literal) {
    if (this.#quote !== '') {
      throw hooks.invalidValue('command', literal, `has a quote that is not closed: ${this.#quote}`);
    }
    this.#finish();
    if (this.#words.length === 0) throw hooks.invalidValue('command', literal, 'must not be empty');
    return this.#words;
  }
}

/** The words of a command: first the program, then its arguments. */
function words(strings, values) {
  const parts = literals(strings);
  const result = new Words();
  for (let i = 0; i < parts.length; i++) {
    result.read(parts[i]);
    if (i < values.length) result.insert(textsOf(values[i]));
  }
  return result.end(join(parts, '${}'));
}

/** In which quotes of a shell a text ends: the last of a stack of `'`, `"`, `(` for `$(` and `#` for a comment. */
class Quoting {
  #open = [''];

  get innermost() {
    return this.#open[this.#open.length - 1];
  }

  read(text) {
    const open = this.#open;
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      const { innermost } = this;
      if (innermost === "'" || innermost === '#') {
        if (character === (innermost === '#' ? '\n' : "'")) open.length--;
      } else if (character === '\\') {
        i++;
      } else if (character === '"') {
        if (innermost === '"') open.length--;
        else append(open, '"');
      } else if (character === '(' && (innermost !== '"' || text[i - 1] === '$')) {
        append(open, '(');
      } else if (character === ')' && innermost === '(') {
        open.length--;
      } else if (innermost !== '"' && (character === "'" || (character === '#' && WHITE.test(text[i - 1] ?? ' ')))) {
        append(open, character);
      }
    }
  }
}

// Where a script has one of these, `$1` may be something else there than at its beginning.
const CHANGES_PARAMETERS = /\(\s*\)|\b(?:function|set|shift)\b/;

/**
 * A script for a POSIX shell. The values are the parameters of the script, so that the shell never parses them:
 * whatever is around a reference to one, its value is data. `shown`: the script with the values in it.
 */
function shellScript(strings, values) {
  const parts = literals(strings);
  const prefix = CHANGES_PARAMETERS.test(join(parts, ' ')) ? '_child_process_rs_' : '';
  const quoting = new Quoting();
  const parameters = [];
  let script = '';
  let shown = '';
  let assignments = '';
  const refer = (text) => {
    append(parameters, text);
    const number = parameters.length;
    if (prefix) assignments += `${prefix}${number}=\${${number}} `;
    const reference = `\${${prefix}${number}}`;
    if (quoting.innermost === '"') return reference;
    return quoting.innermost === "'" ? `'"${reference}"'` : `"${reference}"`;
  };
  for (let i = 0; i < parts.length; i++) {
    script += parts[i];
    shown += parts[i];
    quoting.read(parts[i]);
    if (i >= values.length) break;
    const texts = textsOf(values[i]);
    script += join(map(texts, refer), ' ');
    shown += join(map(texts, quoting.innermost === '' ? quote : String), ' ');
  }
  return { script: assignments ? `${assignments}; ${script}` : script, parameters, shown };
}

// What no shell reads as syntax.
const PLAIN = /^[\w@%+=:,./-]+$/;

/** `text` as a word for a shell. */
function quote(text) {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command as it would be typed into a shell. */
function commandLine(file, args) {
  return join(map(concat([file], args), quote), ' ');
}

module.exports = { commandLine, shellScript, words };
