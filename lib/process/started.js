'use strict';

// The native functions that launch a process for `lib/` return one number, the pid and the pipes packed together: eight
// times the pid (or the negative errno, if nothing was started), plus 1 if the child's standard input is a pipe, plus 2
// if its standard output is one, plus 4 if its standard error is one.

const NO_PIPES = '---';
const PIPES = [NO_PIPES, 'p--', '-p-', 'pp-', '--p', 'p-p', '-pp', 'ppp'];

/** The pid, or the negative errno because of which nothing was started. */
const statusOf = (started) => started >> 3;

/** A `p` for each of the three descriptors that is a pipe, and a `-` for any other. */
const pipesOf = (started) => PIPES[started & 7];

module.exports = { NO_PIPES, pipesOf, statusOf };
