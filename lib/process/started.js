'use strict';

// What a native function returns that has launched a process: eight times the pid or the negative errno, plus 1, 2 and
// 4 if the child's standard input, output and error are pipes.

const NO_PIPES = '---';
const PIPES = [NO_PIPES, 'p--', '-p-', 'pp-', '--p', 'p-p', '-pp', 'ppp'];

/** The pid, or the negative errno because of which nothing was started. */
const statusOf = (started) => started >> 3;

/** A `p` for each of the three descriptors that is a pipe, and a `-` for any other. */
const pipesOf = (started) => PIPES[started & 7];

module.exports = { NO_PIPES, pipesOf, statusOf };
