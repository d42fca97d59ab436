'use strict';

// Which of its own modules Node has loaded. A module that has not been loaded yet cannot have been changed, so there is
// no need to load it to find out.

const { mainProcess } = require('../common/clock');

/**
 * A function that returns whether Node has loaded a module whose name begins with `name`. Node adds the name of each
 * module that it loads to process.moduleLoadList.
 */
function whetherLoaded(name) {
  const prefix = `NativeModule ${name}`;
  let isLoaded = false;
  let seen = 0;
  return () => {
    const list = mainProcess.moduleLoadList ?? [];
    while (!isLoaded && seen < list.length) isLoaded = list[seen++].startsWith(prefix);
    return isLoaded;
  };
}

module.exports = { whetherLoaded };
