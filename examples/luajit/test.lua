-- Tests of the module. `luajit test.lua NAME` runs one of them against the server at FISH_BASE_URL, whose response depends on
-- the user's id. tests/languages.rs has that server and runs them.

local ffi = require("ffi")
local fish = require("fish_api_credit")

local URL = os.getenv("FISH_BASE_URL")
local LONG = 120000 -- a call that is meant to hang

local function client(options)
  options = options or {}
  options.api_key, options.base_url = "sk-test", URL
  return assert(fish.client(options))
end

local function equal(got, expected, what)
  if got ~= expected then error((what or "") .. ": " .. tostring(got) .. ", not " .. tostring(expected), 2) end
end

local function raises(pattern, one, ...)
  local fine, said = pcall(one, ...)
  if fine or not tostring(said):find(pattern) then error("it said " .. tostring(said) .. ", not " .. pattern, 2) end
end

local function status(name)
  for line in io.lines("/proc/self/status") do
    local value = line:match("^" .. name .. ":%s*(%d+)")
    if value then return tonumber(value) end
  end
end

ffi.cdef("int getpid(void); int kill(int, int); int poll(struct pollfd { int fd; short events, revents; } *, unsigned long, int);")

local function descriptors()
  local listing = io.popen("ls /proc/" .. ffi.C.getpid() .. "/fd")
  local _, count = listing:read("*a"):gsub("\n", "")
  listing:close()
  return count
end

local function readable(descriptor)
  local one = ffi.new("struct pollfd", { descriptor, 1, 0 })
  return ffi.C.poll(one, 1, 60000) == 1
end

local tests = {}

function tests.credit()
  local credit = assert(client():credit { user_id = "wallet", check_free_credit = true })
  local expected = {
    id = "0123456789abcdef0123456789abcdef", user_id = "fedcba9876543210fedcba9876543210", credit = "12.345678",
    cumulative_top_up = "20.00", request_id = "t-9",
    created_at = "2025-01-02T03:04:05Z", updated_at = "2026-08-01T12:34:56.789012Z", credit_micros = 12345678LL,
    cumulative_top_up_micros = 20000000LL, created_at_unix_us = 1735787045000000LL,
    updated_at_unix_us = 1785587696789012LL, credit_micros_exact = true, has_phone_sha256 = true,
  }
  for name, value in pairs(expected) do equal(credit[name], value, name) end
  for name in pairs(credit) do assert(expected[name] ~= nil, name) end
  local json = assert(client():json { user_id = "wallet" })
  equal(assert(fish.parse(json)).credit, "12.345678")
end

function tests.money()
  local function of(amount)
    return assert(fish.parse('{"_id":"w","user_id":"u","credit":"' .. amount .. '","created_at":"?","updated_at":"?"}'))
  end
  equal(of("-0.0000001").credit_micros, -1LL)
  equal(of("-0.0000001").credit_micros_exact, false)
  equal(of("9007199254.740993").credit_micros, 9007199254740993LL) -- above 2^53
  equal(of("0.12345678901234567890").credit, "0.12345678901234567890")
  local bare = of("1")
  for _, name in ipairs { "cumulative_top_up", "cumulative_top_up_micros", "request_id", "created_at_unix_us" } do
    equal(bare[name], nil, name)
  end
  local credit, why = fish.parse("{}")
  equal(credit, nil)
  equal(why.status, fish.status.BAD_RESPONSE)
  equal(fish.format_micros(12345678LL), "12.34")
  equal(fish.format_micros(-1LL, 6), "-0.000001")
  equal(fish.version(), fish.VERSION)
end

function tests.errors()
  local one = client { max_retries = 0 }
  local credit, why = one:credit { user_id = "invalid" }
  equal(credit, nil)
  equal(why.status, fish.status.VALIDATION_FAILED)
  equal(why.name, "FISH_VALIDATION_FAILED")
  equal(why.http_status, 422)
  equal(why.attempts, 1)
  equal(why.retryable, false)
  equal(why.retry_after_ms, nil)
  equal(why.request_id, "t-1")
  assert(tostring(why):find("field_errors") and tostring(why):find("%(FISH_VALIDATION_FAILED%)$"), tostring(why))
  assert(why.body:find("not a bool"))
  equal(#why.field_errors, 2)
  local first, second = why.field_errors[1], why.field_errors[2]
  equal(first.location, "query.check_free_credit")
  equal(first.source .. first.type .. first.message, "querybool_parsingnot a bool")
  equal(first.context, '{"error":"x"}')
  equal(second.location, "path.user_id")
  equal(second.source, nil)
  equal(second.context, nil)
  _, why = one:json { user_id = "busy" }
  equal(why.name, "FISH_RATE_LIMITED")
  equal(why.retry_after_ms, 7000)
  equal(why.retryable, true)
  equal(why.api_message, "slow down")
  equal(why.api_reason, "rate")
end

function tests.refusals()
  local function refused(pattern, _, why)
    equal(why and why.status, fish.status.INVALID_ARGUMENT, pattern)
    assert(why.message:find(pattern), why.message)
  end
  local one = client()
  refused("^base_url is neither", fish.client { api_key = "k", base_url = "ftp://x" })
  refused("^api_key contains a NUL", fish.client { api_key = "k\0" })
  refused("^timeout_ms is not above", fish.client { api_key = "k", timeout_ms = 0 })
  refused("^max_retries is out", fish.client { api_key = "k", max_retries = -1 })
  refused("^user_id is empty", one:credit { user_id = "" })
  refused("^interval_ms", one:watch { interval_ms = 999 })
  refused("^low_micros", one:watch { low_micros = -1LL })
  raises("unknown option timeout", fish.client, { timeout = 5 })
  raises("unknown option user", one.credit, one, { user = "u" })
  raises("api_key is not a string", fish.client, { api_key = 5 })
  raises("low_micros is not a whole", one.watch, one, { low_micros = 0.5 })
  local _, why = fish.client { base_url = URL }
  equal(why.name, "FISH_MISSING_API_KEY")
  one:close()
  one:close()
  raises("it is closed", one.credit, one)
end

function tests.background()
  local one = client { timeout_ms = LONG }
  local call = assert(one:start { user_id = "silent" })
  equal(call:done(), false)
  equal(call:wait(1), false)
  local _, why = call:result()
  equal(why.name, "FISH_PENDING")
  one:cancel()
  assert(readable(call:descriptor()))
  equal(call:wait(), true)
  _, why = call:result()
  equal(why.name, "FISH_CANCELLED")
  call:close()
  raises("it is closed", call.done, call)
  local another = assert(client():start { user_id = "wallet" })
  assert(readable(another:descriptor()))
  equal(another:done(), true)
  equal(another:result().credit, "12.345678")
  equal(another:json():sub(1, 1), "{")
end

-- The server gives 9, 8, 7 and so on.
function tests.watch()
  local one = client()
  local watch = assert(one:watch { user_id = "counted", interval_ms = 3600000, low_micros = 8500000 })
  assert(readable(watch:descriptor()))
  local state = watch:read()
  equal(state.credit.credit, "9")
  equal(state.level, fish.level.OK)
  equal(state.status, fish.status.OK)
  equal(state.error, nil)
  assert(state.age_ms >= 0 and state.next_ms > 0)
  watch:refresh()
  assert(readable(watch:descriptor()))
  state = watch:read()
  equal(state.credit.credit, "8")
  equal(state.level, fish.level.LOW)
  equal(state.changes, 2)
  one:close()
  assert(readable(watch:descriptor()))
  equal(watch:read().status, fish.status.CANCELLED)
  watch:close()
  local hanging = assert(client { timeout_ms = LONG }:watch { user_id = "silent" })
  state = hanging:read()
  equal(state.status, fish.status.PENDING)
  equal(state.credit, nil)
  equal(state.age_ms, nil)
end

function tests.leaks()
  local one = client { max_retries = 0 }
  local function rounds(count)
    for n = 1, count do
      one:credit { user_id = n % 10 == 0 and "invalid" or "wallet" }
      if n % 20 == 0 then
        local watch = one:watch { user_id = "wallet" }
        readable(watch:descriptor())
        watch:read()
        if n % 40 == 0 then watch:close() end -- else by the garbage collector
      end
    end
    collectgarbage()
    collectgarbage()
  end
  rounds(200)
  local before, memory = descriptors(), status("VmRSS")
  rounds(1000)
  -- A watch's thread ends within 100 ms. A client keeps at most 16 connections.
  local tries, most = 0, before + 16
  while (descriptors() > most or status("Threads") > 2) and tries < 1000 do
    tries = tries + 1
    ffi.C.poll(nil, 0, 10)
  end
  assert(descriptors() <= most, descriptors() .. " descriptors, not " .. before)
  equal(status("Threads") <= 2, true, "threads")
  local grown = status("VmRSS") - memory
  assert(grown < 8192, grown .. " KiB more")
end

-- ---- Ways for the process to end while a call hangs ----------------------------------------------------------------

local function hanging()
  local one = client { timeout_ms = LONG }
  return one, assert(one:start { user_id = "silent" }), assert(one:watch { user_id = "silent" })
end

tests["exit"] = function()
  hanging()
  os.exit(7)
end

tests["exit that closes the state"] = function()
  hanging()
  os.exit(7, true)
end

tests["an error"] = function()
  hanging()
  error("of a test")
end

tests["the last line"] = function() hanging() end

tests["Ctrl-C"] = function()
  client { timeout_ms = LONG }:credit { user_id = "silent" }
end

assert(tests[arg[1]], "no such test")()
print("passed")
