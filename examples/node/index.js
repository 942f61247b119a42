'use strict';

// Read a Fish Audio account's API credit: libfish_api_credit in JavaScript's terms, by koffi.

const { Status, Level, VERSION } = require('./lib/abi.js');
const { library, load } = require('./lib/native.js');
const { FishError } = require('./lib/errors.js');
const { parseCredit, formatMicros } = require('./lib/credit.js');
const { Watch } = require('./lib/watch.js');
const { Client } = require('./lib/client.js');

/** The version of the library that was loaded. */
const libraryVersion = () => library().fish_version();

module.exports = { Client, FishError, Level, Status, VERSION, Watch, formatMicros, libraryVersion, load, parseCredit };
