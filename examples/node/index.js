'use strict';

// Read a Fish Audio account's API credit: libfish_api_credit in JavaScript's terms, by koffi.

const { Status, Level } = require('./lib/abi.js');
const { load } = require('./lib/native.js');
const { FishError } = require('./lib/errors.js');
const { parseCredit, formatMicros } = require('./lib/credit.js');
const { Watch } = require('./lib/watch.js');
const { Client } = require('./lib/client.js');

module.exports = { Client, FishError, Level, Status, Watch, formatMicros, load, parseCredit };
