-- math.random: the generator of drand48, so the numbers are those of Redis.
local kit = ...
local floor, select = math.floor, select
local fail, bad_argument, check_integer = kit.fail, kit.bad_argument, kit.check_integer
local high, low = 0x1234ABCD, 0x330E    -- the upper 32 and the lower 16 bits of its state
local RANDOM_MAX = 0x7FFFFFFF

local function next_random()
  -- state * 0x5DEECE66D + 11, modulo 2 ^ 48, in parts that a double holds exactly
  local x0, x1, x2 = low, high % 0x10000, floor(high / 0x10000)
  local p = x0 * 0xE66D + 11
  local y0, carry = p % 0x10000, floor(p / 0x10000)
  p = carry + x0 * 0xDEEC + x1 * 0xE66D
  local y1 = p % 0x10000
  carry = floor(p / 0x10000)
  p = carry + x0 * 0x5 + x1 * 0xDEEC + x2 * 0xE66D
  low, high = y0, (p % 0x10000) * 0x10000 + y1
  return floor(high / 2)
end

local function random(...)
  local r = next_random() % RANDOM_MAX / RANDOM_MAX
  local count = select('#', ...)
  if count == 0 then
    return r
  elseif count == 1 then
    local upper = check_integer(..., 1, 'random')
    if upper < 1 then bad_argument(1, 'random', 'interval is empty') end
    return floor(r * upper) + 1
  elseif count == 2 then
    local from, to = ...
    from, to = check_integer(from, 1, 'random'), check_integer(to, 2, 'random')
    if from > to then bad_argument(2, 'random', 'interval is empty') end
    return floor(r * (to - from + 1)) + from
  end
  fail('wrong number of arguments')
end

local function randomseed(seed)
  high, low = check_integer(seed, 1, 'randomseed') % 0x100000000, 0x330E
end

return random, randomseed
