-- Read a Fish Audio account's API credit: libfish_api_credit in Lua's terms, by LuaJIT's ffi. One file; copy it.
--
-- A function that fails returns nil and an error, whose tostring() says what to do. Wrong use, such as an unknown option,
-- raises an error. Money is exact: decimal text as sent, and int64_t millionths.

local ffi = require("ffi")

-- Compiled code does not run hooks, such as that of Ctrl-C, and nothing here needs speed.
if jit then jit.off(true, true) end

local fish = {}

-- Generated from src/ffi: the header.
local HEADER = [[
typedef struct fish_cancel_token fish_cancel_token;
typedef struct fish_client fish_client;
typedef struct fish_call fish_call;
typedef struct fish_watch fish_watch;
typedef struct fish_client_options fish_client_options;
typedef struct fish_api_credit_query fish_api_credit_query;
typedef struct fish_api_credit fish_api_credit;
typedef struct fish_field_error fish_field_error;
typedef struct fish_error fish_error;
typedef struct fish_watch_options fish_watch_options;
typedef struct fish_watch_state fish_watch_state;
typedef int32_t fish_status;
typedef enum fish_status_code {
  FISH_OK = 0,
  FISH_INVALID_ARGUMENT = 1,
  FISH_MISSING_API_KEY = 2,
  FISH_CANCELLED = 3,
  FISH_PENDING = 4,
  FISH_RESOLVE_FAILED = 20,
  FISH_CONNECT_FAILED = 21,
  FISH_TLS_FAILED = 22,
  FISH_PROXY_FAILED = 23,
  FISH_TIMED_OUT = 24,
  FISH_CONNECTION_LOST = 25,
  FISH_UNAUTHORIZED = 40,
  FISH_PAYMENT_REQUIRED = 41,
  FISH_FORBIDDEN = 42,
  FISH_NOT_FOUND = 43,
  FISH_VALIDATION_FAILED = 44,
  FISH_RATE_LIMITED = 45,
  FISH_SERVER_ERROR = 46,
  FISH_UNEXPECTED_STATUS = 47,
  FISH_BAD_RESPONSE = 48,
  FISH_RESPONSE_TOO_LARGE = 49,
  FISH_INTERNAL_ERROR = 90
} fish_status_code;
typedef enum fish_tristate {
  FISH_UNKNOWN = -1,
  FISH_FALSE = 0,
  FISH_TRUE = 1
} fish_tristate;
typedef enum fish_level {
  FISH_LEVEL_UNKNOWN = 0,
  FISH_LEVEL_OK = 1,
  FISH_LEVEL_LOW = 2,
  FISH_LEVEL_EMPTY = 3
} fish_level;
struct fish_client_options {
  const char *api_key;
  const char *base_url;
  const char *proxy_url;
  const char *ca_file;
  const char *user_agent;
  uint32_t timeout_ms;
  uint32_t connect_timeout_ms;
  int32_t max_retries;
  int32_t tls_roots;
  uint64_t reserved[8];
};
struct fish_api_credit_query {
  const char *user_id;
  const char *team_id;
  bool check_free_credit;
  uint32_t timeout_ms;
  fish_cancel_token *cancel;
  uint64_t reserved[4];
};
struct fish_api_credit {
  const char *id;
  const char *user_id;
  const char *credit;
  const char *cumulative_top_up;
  const char *created_at;
  const char *updated_at;
  const char *request_id;
  int64_t credit_micros;
  int64_t cumulative_top_up_micros;
  int64_t created_at_unix_us;
  int64_t updated_at_unix_us;
  bool credit_micros_exact;
  fish_tristate has_phone_sha256;
  fish_tristate has_free_credit;
  void *owner;
  uint64_t reserved[4];
};
struct fish_field_error {
  const char *location;
  const char *source;
  const char *type;
  const char *message;
  const char *context;
};
struct fish_error {
  fish_status status;
  int32_t http_status;
  uint32_t attempts;
  uint32_t retry_after_ms;
  bool retryable;
  const char *message;
  const char *api_message;
  const char *api_reason;
  const char *request_id;
  const char *body;
  const fish_field_error *field_errors;
  size_t field_error_count;
  void *owner;
  uint64_t reserved[4];
};
struct fish_watch_options {
  uint32_t interval_ms;
  int64_t low_micros;
  int64_t recovered_micros;
  uint64_t reserved[6];
};
struct fish_watch_state {
  fish_api_credit credit;
  fish_level level;
  fish_status status;
  uint32_t failures;
  uint32_t next_ms;
  uint64_t age_ms;
  uint64_t changes;
  void *owner;
  uint64_t reserved[4];
};
const char *fish_version(void);
uint32_t fish_abi_version(void);
const char *fish_status_name(int32_t status);
fish_status fish_client_new(const fish_client_options *options, fish_client **client, fish_error *error);
void fish_client_cancel(fish_client *client);
void fish_client_free(fish_client *client);
fish_status fish_get_api_credit(const fish_client *client, const fish_api_credit_query *query, fish_api_credit *credit, fish_error *error);
void fish_api_credit_free(fish_api_credit *credit);
size_t fish_format_micros(int64_t micros, uint32_t decimals, char *buffer, size_t size);
fish_status fish_get_api_credit_json(const fish_client *client, const fish_api_credit_query *query, char **json, fish_error *error);
void fish_string_free(char *string);
fish_status fish_api_credit_from_json(const char *json, size_t length, fish_api_credit *credit, fish_error *error);
void fish_error_free(fish_error *error);
fish_cancel_token *fish_cancel_token_new(void);
void fish_cancel_token_cancel(fish_cancel_token *token);
void fish_cancel_token_free(fish_cancel_token *token);
fish_status fish_call_start(const fish_client *client, const fish_api_credit_query *query, fish_call **call, fish_error *error);
bool fish_call_is_done(const fish_call *call);
fish_status fish_call_wait(const fish_call *call, uint32_t timeout_ms);
intptr_t fish_call_descriptor(const fish_call *call);
fish_status fish_call_result(const fish_call *call, fish_api_credit *credit, fish_error *error);
fish_status fish_call_result_json(const fish_call *call, char **json, fish_error *error);
void fish_call_free(fish_call *call);
fish_status fish_watch_start(const fish_client *client, const fish_api_credit_query *query, const fish_watch_options *options, fish_watch **watch, fish_error *error);
fish_status fish_watch_read(const fish_watch *watch, fish_watch_state *state, fish_error *error);
void fish_watch_refresh(fish_watch *watch);
intptr_t fish_watch_descriptor(const fish_watch *watch);
void fish_watch_state_free(fish_watch_state *state);
void fish_watch_free(fish_watch *watch);
]]
-- End of the generated part.

-- Generated from src/ffi: the constants.
local VERSION = "0.1.0"
local VERSION_MAJOR = 0
local VERSION_MINOR = 1
local VERSION_PATCH = 0
local ABI_VERSION = 1
local TLS_ROOTS_BUNDLED = 0
local TLS_ROOTS_SYSTEM = 1
local TIME_UNKNOWN = ffi.cast("int64_t", -2 ^ 63)
fish.status = {
  OK = 0,
  INVALID_ARGUMENT = 1,
  MISSING_API_KEY = 2,
  CANCELLED = 3,
  PENDING = 4,
  RESOLVE_FAILED = 20,
  CONNECT_FAILED = 21,
  TLS_FAILED = 22,
  PROXY_FAILED = 23,
  TIMED_OUT = 24,
  CONNECTION_LOST = 25,
  UNAUTHORIZED = 40,
  PAYMENT_REQUIRED = 41,
  FORBIDDEN = 42,
  NOT_FOUND = 43,
  VALIDATION_FAILED = 44,
  RATE_LIMITED = 45,
  SERVER_ERROR = 46,
  UNEXPECTED_STATUS = 47,
  BAD_RESPONSE = 48,
  RESPONSE_TOO_LARGE = 49,
  INTERNAL_ERROR = 90,
}
fish.level = {
  UNKNOWN = 0,
  OK = 1,
  LOW = 2,
  EMPTY = 3,
}
-- End of the generated part.

-- ---- The library ---------------------------------------------------------------------------------------------------

-- The types are already there if the module is loaded again.
if not pcall(ffi.typeof, "fish_client_options") then ffi.cdef(HEADER) end

-- FISH_API_CREDIT_LIBRARY, a file on package.cpath, or what the system's loader finds.
local function open()
  local name = ({ Windows = "fish_api_credit", OSX = "libfish_api_credit.0.dylib" })[ffi.os] or "libfish_api_credit.so.0"
  local beside = ffi.os == "Windows" and "fish_api_credit" or "libfish_api_credit"
  local file = os.getenv("FISH_API_CREDIT_LIBRARY") or package.searchpath(beside, package.cpath) or name
  local loaded, library = pcall(ffi.load, file)
  if not loaded then
    error("libfish_api_credit cannot be loaded (" .. library .. "); install it, put it on package.cpath, or set "
      .. "FISH_API_CREDIT_LIBRARY to its file", 0)
  end
  local found, version = pcall(function() return library.fish_abi_version() end)
  if not found or version ~= ABI_VERSION then
    error(file .. " is not this module's libfish_api_credit (" .. (found and "it has ABI " .. version or version)
      .. "); install the two together", 0)
  end
  return library
end

local C = open()

-- ---- Why it failed -------------------------------------------------------------------------------------------------

local function text(pointer) return pointer ~= nil and ffi.string(pointer) or nil end
local function same(value) return value end
local function time(micros) return micros ~= TIME_UNKNOWN and micros or nil end
local function beside(name) return function(value, filled) return filled[name] ~= nil and value or nil end end
local function answer(tristate)
  if tristate == C.FISH_UNKNOWN then return nil end
  return tristate == C.FISH_TRUE
end

-- Generated from src/ffi: the fields of what comes back.
local CREDIT = {
  id = text,
  user_id = text,
  credit = text,
  cumulative_top_up = text,
  created_at = text,
  updated_at = text,
  request_id = text,
  credit_micros = same,
  cumulative_top_up_micros = beside("cumulative_top_up"),
  created_at_unix_us = time,
  updated_at_unix_us = time,
  credit_micros_exact = same,
  has_phone_sha256 = answer,
  has_free_credit = answer,
}
local FIELD_ERROR = {
  location = text,
  source = text,
  type = text,
  message = text,
  context = text,
}
-- End of the generated part.

local function copy(filled, fields)
  local copied = {}
  for name, as in pairs(fields) do copied[name] = as(filled[name], filled) end
  return copied
end

local Error = { __tostring = function(self) return self.message .. " (" .. self.name .. ")" end }

-- Replaces C's names in a message by the module's: "options.ca_file" becomes ca_file, NULL nil.
local function in_lua(message)
  message = message:gsub("%f[%w]options%.(%l)", "%1"):gsub("%f[%w]query%.(%l)", "%1"):gsub("%f[%w_]tls_roots%f[^%w_]", "system_roots")
  return (message:gsub("%f[%w_]FISH_TLS_ROOTS_SYSTEM%f[^%w_]", "true"):gsub("%f[%w_]NULL%f[^%w_]", "nil"))
end

local function failed(status, message)
  return setmetatable({
    status = status, name = ffi.string(C.fish_status_name(status)), message = message, attempts = 0, retryable = false,
    field_errors = {},
  }, Error)
end

-- Copies what the library filled, and frees it.
local function taken(filled)
  local this = failed(filled.status, in_lua(text(filled.message) or ""))
  this.http_status = filled.http_status ~= 0 and filled.http_status or nil
  this.attempts = filled.attempts
  this.retry_after_ms = filled.retry_after_ms ~= 0 and filled.retry_after_ms or nil
  this.retryable = filled.retryable
  for _, name in ipairs({ "api_message", "api_reason", "request_id", "body" }) do this[name] = text(filled[name]) end
  for at = 1, tonumber(filled.field_error_count) do
    this.field_errors[at] = copy(filled.field_errors[at - 1], FIELD_ERROR)
  end
  C.fish_error_free(filled)
  return this
end

-- Returns nil, or the error that the function filled.
local function attempt(one)
  local failure = ffi.new("fish_error")
  if one(failure) ~= C.FISH_OK then return taken(failure) end
end

-- ---- What goes in --------------------------------------------------------------------------------------------------

local LONGEST_MS = 2 ^ 32 - 1

local function refuse(message) error(failed(C.FISH_INVALID_ARGUMENT, message), 0) end

-- C reads the string itself, which the caller's table keeps alive.
local function checked_text(name, value)
  if type(value) ~= "string" then error(name .. " is not a string", 0) end
  if value:find("\0", 1, true) then refuse(name .. " contains a NUL character; remove it.") end
  return value
end

-- 0 would mean the default.
local function milliseconds(name, value)
  if not (type(value) == "number" and value > 0) then refuse(name .. " is not above zero; leave it out for the default.") end
  return math.min(math.ceil(value), LONGEST_MS)
end

local function whole(name, value)
  if type(value) ~= "number" or value < 0 or value > LONGEST_MS or value % 1 ~= 0 then refuse(name .. " is out of range; pass a whole number.") end
  return value
end

local function retries(name, value)
  if whole(name, value) >= 2 ^ 31 then refuse(name .. " is out of range; set it to a count, or to 0 for no retries.") end
  return value == 0 and -1 or value
end

local function roots(_, value) return value and TLS_ROOTS_SYSTEM or TLS_ROOTS_BUNDLED end
local function flag(_, value) return value and true or false end

local function micros(name, value)
  local exact = ffi.istype("int64_t", value) or type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53
  if not exact then error(name .. " is not a whole number of millionths, such as 5000000LL for 5", 0) end
  return value
end

-- Generated from src/ffi: the fields of fish_client_options.
local CLIENT = {
  api_key = { "api_key", checked_text },
  base_url = { "base_url", checked_text },
  proxy_url = { "proxy_url", checked_text },
  ca_file = { "ca_file", checked_text },
  user_agent = { "user_agent", checked_text },
  timeout_ms = { "timeout_ms", milliseconds },
  connect_timeout_ms = { "connect_timeout_ms", milliseconds },
  max_retries = { "max_retries", retries },
  system_roots = { "tls_roots", roots },
}
-- End of the generated part.

local QUERY = {
  user_id = { "user_id", checked_text },
  team_id = { "team_id", checked_text },
  check_free_credit = { "check_free_credit", flag },
  timeout_ms = { "timeout_ms", milliseconds },
}
local WATCH = {
  interval_ms = { "interval_ms", milliseconds },
  low_micros = { "low_micros", micros },
  recovered_micros = { "recovered_micros", micros },
}

-- Fills one struct for each table of options. An unknown name raises an error: it could be misspelt.
local function fill(given, ...)
  local filled = {}
  for at, one in ipairs({ ... }) do filled[at] = ffi.new(one[1]) end
  for name, value in pairs(given or {}) do
    local known = false
    for at, one in ipairs({ ... }) do
      local setting = one[2][name]
      if setting then
        filled[at][setting[1]] = setting[2](name, value)
        known = true
      end
    end
    if not known then error("unknown option " .. tostring(name), 0) end
  end
  return unpack(filled)
end

-- Returns what refuse() raised, like an error of the library's. Any other error is wrong use.
local function checked(one)
  local fine, first, second = pcall(one)
  if fine then return first, second end
  if getmetatable(first) == Error then return nil, first end
  error(first, 2)
end

-- ---- A handle ------------------------------------------------------------------------------------------------------

-- A handle is freed by close(), by the garbage collector, or when the Lua state is closed. Freeing never waits.
local function owned(out, free) return ffi.gc(out[0], free) end

local function opened(self)
  return self.handle or error("it is closed", 3)
end

local function close(free)
  return function(self)
    local handle = self.handle
    self.handle = nil
    if handle then free(ffi.gc(handle, nil)) end
  end
end

-- ---- A call --------------------------------------------------------------------------------------------------------

local SLICE_MS = 50
local Call = {}
Call.__index = Call

-- Whether there is a result. Never waits.
function Call:done() return C.fish_call_is_done(opened(self)) end

-- A descriptor for an event loop, readable once the call is done. Never read it or close it. nil: check done() instead.
function Call:descriptor()
  local descriptor = tonumber(C.fish_call_descriptor(opened(self)))
  return descriptor >= 0 and descriptor or nil
end

-- Waits until the call is done, or for timeout_ms at most. Returns whether it is done. Ctrl-C raises an error.
function Call:wait(timeout_ms)
  local left = timeout_ms or math.huge
  repeat
    local slice = math.min(left, SLICE_MS)
    if C.fish_call_wait(opened(self), slice) == C.FISH_OK then return true end
    left = left - slice
  until left <= 0
  return false
end

-- The credit, or nil and an error: FISH_PENDING while the call runs. May be called again.
function Call:result()
  local handle, filled = opened(self), ffi.new("fish_api_credit")
  local why = attempt(function(failure) return C.fish_call_result(handle, filled, failure) end)
  if why then return nil, why end
  local credit = copy(filled, CREDIT)
  C.fish_api_credit_free(filled)
  return credit
end

-- Like result, but the server's document exactly as sent.
function Call:json()
  local handle, out = opened(self), ffi.new("char *[1]")
  local why = attempt(function(failure) return C.fish_call_result_json(handle, out, failure) end)
  if why then return nil, why end
  local json = ffi.string(out[0])
  C.fish_string_free(out[0])
  return json
end

-- Cancels the call if it runs, and frees it.
Call.close = close(C.fish_call_free)

-- ---- A watch -------------------------------------------------------------------------------------------------------

local NEVER_MS = 2 ^ 32 - 1
local Watch = {}
Watch.__index = Watch

-- The state now: credit, level, status, error, failures, next_ms, age_ms, changes. Never waits for the network.
function Watch:read()
  local filled, failure = ffi.new("fish_watch_state"), ffi.new("fish_error")
  C.fish_watch_read(opened(self), filled, failure)
  local why = taken(failure)
  local known = filled.credit.id ~= nil
  local state = {
    credit = known and copy(filled.credit, CREDIT) or nil,
    level = tonumber(filled.level),
    status = filled.status,
    error = why.status ~= C.FISH_OK and why.status ~= C.FISH_PENDING and why or nil,
    failures = filled.failures,
    next_ms = filled.next_ms ~= NEVER_MS and filled.next_ms or nil,
    age_ms = known and tonumber(filled.age_ms) or nil,
    changes = tonumber(filled.changes),
  }
  C.fish_watch_state_free(filled)
  return state
end

-- Starts a reading now, such as after a purchase. Never waits; several at once are one.
function Watch:refresh() C.fish_watch_refresh(opened(self)) end

-- A descriptor for an event loop, readable when there has been a change since the last read().
function Watch:descriptor()
  local descriptor = tonumber(C.fish_watch_descriptor(opened(self)))
  return descriptor >= 0 and descriptor or nil
end

-- Ends the watch, and frees it.
Watch.close = close(C.fish_watch_free)

-- ---- A client ------------------------------------------------------------------------------------------------------

local Client = {}
Client.__index = Client

-- A client: connections and options. Create one and keep it. The options are those of fish_client_options in docs/c.md;
-- max_retries = 0 means none, and system_roots = true trusts the operating system's certificate authorities.
function fish.client(options)
  return checked(function()
    local filled, out = fill(options, { "fish_client_options", CLIENT }), ffi.new("fish_client *[1]")
    local why = attempt(function(failure) return C.fish_client_new(filled, out, failure) end)
    if why then return nil, why end
    return setmetatable({ handle = owned(out, C.fish_client_free) }, Client)
  end)
end

-- Starts a call in the background. `query` may have user_id, team_id, check_free_credit and timeout_ms.
function Client:start(query)
  local handle = opened(self)
  return checked(function()
    local filled, out = fill(query, { "fish_api_credit_query", QUERY }), ffi.new("fish_call *[1]")
    local why = attempt(function(failure) return C.fish_call_start(handle, filled, out, failure) end)
    if why then return nil, why end
    return setmetatable({ handle = owned(out, C.fish_call_free) }, Call)
  end)
end

local function blocking(result)
  return function(self, query)
    local call, why = self:start(query)
    if not call then return nil, why end
    local fine, credit, failure = pcall(function()
      call:wait()
      return result(call)
    end)
    call:close()
    if not fine then error(credit, 0) end
    return credit, failure
  end
end

-- The API credit, or nil and an error. Blocks for at most the timeout.
Client.credit = blocking(Call.result)

-- Like credit, but the server's document exactly as sent. fish.parse decodes it.
Client.json = blocking(Call.json)

-- Starts a watch, which reads the credit periodically in the background. `options` may also have interval_ms, low_micros
-- and recovered_micros.
function Client:watch(options)
  local handle = opened(self)
  return checked(function()
    local out = ffi.new("fish_watch *[1]")
    local query, chosen = fill(options, { "fish_api_credit_query", QUERY }, { "fish_watch_options", WATCH })
    local why = attempt(function(failure) return C.fish_watch_start(handle, query, chosen, out, failure) end)
    if why then return nil, why end
    return setmetatable({ handle = owned(out, C.fish_watch_free) }, Watch)
  end)
end

-- Ends the calls and watches of this client, now and later, with FISH_CANCELLED.
function Client:cancel() C.fish_client_cancel(opened(self)) end

-- Cancels them, and frees the client.
Client.close = close(C.fish_client_free)

-- ---- Without a client ----------------------------------------------------------------------------------------------

-- Decodes a document from Client:json. No network.
function fish.parse(json)
  local filled = ffi.new("fish_api_credit")
  local why = attempt(function(failure) return C.fish_api_credit_from_json(json, #json, filled, failure) end)
  if why then return nil, why end
  local credit = copy(filled, CREDIT)
  C.fish_api_credit_free(filled)
  return credit
end

-- Exact text for a person, rounded down: (12345678LL, 2) is "12.34". Decimals are 0 to 6; by default 2.
function fish.format_micros(amount, decimals)
  local buffer = ffi.new("char[32]")
  C.fish_format_micros(amount, decimals or 2, buffer, ffi.sizeof(buffer))
  return ffi.string(buffer)
end

-- The version of the library that was loaded; this module was written for fish.VERSION.
function fish.version() return ffi.string(C.fish_version()) end
fish.VERSION = VERSION

return fish
