'use strict';

// Array functions that do not use Array.prototype. A program may have patched any of its methods, and its iterator,
// which spread, destructuring and `for … of` use; launching must still work.

/** A new array with the elements from `start` to `end`. */
function copy(list, start = 0, end = list.length) {
  const result = [];
  for (let i = start; i < end; i++) result[i - start] = list[i];
  return result;
}

function concat(...lists) {
  const result = [];
  for (let i = 0; i < lists.length; i++) {
    for (let j = 0; j < lists[i].length; j++) append(result, lists[i][j]);
  }
  return result;
}

function append(list, value) {
  list[list.length] = value;
}

function map(list, body) {
  const result = [];
  for (let i = 0; i < list.length; i++) result[i] = body(list[i], i);
  return result;
}

/** The index of the first element that passes `test`, or -1. */
function findIndex(list, test) {
  for (let i = 0; i < list.length; i++) if (test(list[i])) return i;
  return -1;
}

function some(list, test) {
  return findIndex(list, test) !== -1;
}

function indexOf(list, value) {
  return findIndex(list, (element) => element === value);
}

function includes(list, value) {
  return indexOf(list, value) !== -1;
}

/** As in Array.prototype.join, null and undefined become empty strings. */
function join(list, separator) {
  let text = '';
  for (let i = 0; i < list.length; i++) text += `${i > 0 ? separator : ''}${list[i] ?? ''}`;
  return text;
}

module.exports = { append, concat, copy, findIndex, includes, indexOf, join, map, some };
