-- One caller's bucket, taken from in one step.
-- KEYS[1]: the bucket. ARGV: points a second, burst, price, points wanted beyond the price, points given back.
-- Answers whether the price was taken, the points granted beyond it, and the points left (as text: Redis cuts fractions).
local now = redis.call('TIME')
local now_s = tonumber(now[1]) + tonumber(now[2]) / 1000000
local per_s, burst, price = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(state[1] or burst)
local at = tonumber(state[2] or now_s)
tokens = math.min(burst, tokens + math.max(0, now_s - at) * per_s + tonumber(ARGV[5]))
local granted, extra = 0, 0
if tokens >= price then
  granted = 1
  tokens = tokens - price
  extra = math.floor(math.min(tonumber(ARGV[4]), tokens / 2))
  tokens = tokens - extra
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now_s))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / per_s * 1000) + 1000)
return {granted, extra, string.format('%.6f', tokens)}
