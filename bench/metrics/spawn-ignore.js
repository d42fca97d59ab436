'use strict';

const { spawnCost } = require('../spawn-cost');

module.exports = spawnCost({ name: 'spawn-ignore', stdio: 'ignore', goals: { small: 15, '2gb': 500 } });
