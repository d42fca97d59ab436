'use strict';

const { spawnCost } = require('../spawn-cost');

module.exports = spawnCost({ name: 'spawn-pipe', stdio: 'pipe', goals: { small: 9, '2gb': 500 } });
