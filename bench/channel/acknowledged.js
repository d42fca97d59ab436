'use strict';

/** Counts what the other end has acknowledged. */
function acknowledgements(end) {
  let count = 0;
  let wake = () => {};
  end.on('ack', () => {
    count += 1;
    wake();
  });
  return {
    get count() {
      return count;
    },
    /** Resolves when there are so many. */
    async reach(wanted) {
      while (count < wanted) {
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

module.exports = { acknowledgements };
