'use strict';

process.send('hello');
