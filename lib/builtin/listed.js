'use strict';

// Which of its own modules Node has loaded, for whomever. Where nobody has one yet, nobody can have changed or used it,
// and there is no need to load it to find that out.

const { mainProcess } = require('../common/clock');

/**
 * A function that says whether a module whose name begins so is loaded. Node adds the name of each that it loads to
 * process.moduleLoadList.
 */
function whetherLoaded(beginning) {
  const prefix = `NativeModule ${beginning}`;
  let isLoaded = false;
  let seen = 0;
  return () => {
    const list = mainProcess.moduleLoadList ?? [];
    while (!isLoaded && seen < list.length) isLoaded = list[seen++].startsWith(prefix);
    return isLoaded;
  };
}

module.exports = { whetherLoaded };
