'use strict';

// child-process-rs/promises in both of its forms: natively, and over the builtin.

const { builtin, current } = require('../../lib/exec/launchers');
const { promisesOver } = require('../../lib/exec/promises');

const FORMS = { 'natively': promisesOver(current), 'over the builtin': promisesOver(builtin) };

/** Runs `body(t, promises)` as a test of each form. `declare` is `test` of ava, or `test.serial`. */
function both(declare, title, body) {
  for (const [form, promises] of Object.entries(FORMS)) declare(`${form}: ${title}`, (t) => body(t, promises));
}

/** What a promise is rejected with. */
async function rejected(promise) {
  return promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (error) => error,
  );
}

/** What `body` throws. */
function thrown(body) {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('it threw nothing');
}

module.exports = { FORMS, both, rejected, thrown };
