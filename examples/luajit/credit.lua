-- Prints the API credit of the account that FISH_API_KEY belongs to: luajit credit.lua [USER-ID]

local fish = require("fish_api_credit")

local client, why = fish.client { base_url = os.getenv("FISH_BASE_URL"), timeout_ms = 10000 }
local credit
if client then credit, why = client:credit { user_id = arg[1] } end
if not credit then
  io.stderr:write("credit.lua: ", tostring(why), "\n") -- says what to do
  os.exit(why.retryable and 1 or 2)
end

print("API credit: " .. credit.credit .. " (last change: " .. credit.updated_at .. ")")
if credit.credit_micros < 20000000LL then print("time to top up") end
