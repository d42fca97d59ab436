'use strict';

// What is done with arrays on the way to a launch, without Array.prototype: a program may have replaced any of its
// methods, and its iterator, which spread, destructuring and `for … of` use.

/** The elements from `start` to `end` in a new array. */
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

/** The index of the first element that passes `test`; -1: there is none. */
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

/** As Array.prototype.join does it: null and undefined are empty. */
function join(list, separator) {
  let text = '';
  for (let i = 0; i < list.length; i++) text += `${i > 0 ? separator : ''}${list[i] ?? ''}`;
  return text;
}

module.exports = { append, concat, copy, findIndex, includes, indexOf, join, map, some };
