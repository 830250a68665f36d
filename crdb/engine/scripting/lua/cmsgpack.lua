-- The library `cmsgpack`: MessagePack as lua-cmsgpack 0.4.0 writes and reads it.
local kit = ...
local byte, char, sub = string.byte, string.char, string.sub
local concat, error, floor, next, select, tonumber, type = table.concat, error, math.floor, next, select, tonumber, type
local unpack = unpack
local fail, bad_argument, check_integer, host = kit.fail, kit.bad_argument, kit.check_integer, kit.host
local pack_float, unpack_float = host.pack_float, host.unpack_float

local NESTING_MAX = 16
local INTEGER_MIN, INTEGER_MAX = -2 ^ 63, 2 ^ 63

-- pack -----------------------------------------------------------------------------------------

local out, count

local function put(piece)
  count = count + 1
  out[count] = piece
end

local function big_endian(number, size)
  local bytes = {}
  for index = size, 1, -1 do
    bytes[index] = number % 256
    number = floor(number / 256)
  end
  return char(unpack(bytes))
end

local function put_head(size, fixed, fixed_max, marks)
  if size <= fixed_max then
    put(char(fixed + size))
  elseif marks[1] and size <= 0xff then
    put(char(marks[1], size))
  elseif size <= 0xffff then
    put(char(marks[2]) .. big_endian(size, 2))
  else
    put(char(marks[3]) .. big_endian(size, 4))
  end
end

local RAW, ARRAY, MAP = {0xd9, 0xda, 0xdb}, {nil, 0xdc, 0xdd}, {nil, 0xde, 0xdf}

local function put_integer(n)
  if n >= 0 then
    if n <= 127 then put(char(n))
    elseif n <= 0xff then put(char(0xcc, n))
    elseif n <= 0xffff then put('\205' .. big_endian(n, 2))
    elseif n <= 0xffffffff then put('\206' .. big_endian(n, 4))
    else put('\207' .. big_endian(n, 8)) end
  elseif n >= -32 then put(char(n + 256))
  elseif n >= -128 then put(char(0xd0, n + 256))
  elseif n >= -32768 then put('\209' .. big_endian(n + 65536, 2))
  elseif n >= -2147483648 then put('\210' .. big_endian(n + 4294967296, 4))
  else put('\211' .. host.pack_int64(n)) end
end

local put_value

local function is_array(held)
  local size, max = 0, 0
  for key in next, held do
    if type(key) ~= 'number' or key <= 0 or floor(key) ~= key or key > 0x7fffffff then
      return false
    end
    if key > max then max = key end
    size = size + 1
  end
  return size == max
end

local function put_table(held, level)
  if is_array(held) then
    put_head(#held, 0x90, 15, ARRAY)
    for index = 1, #held do put_value(held[index], level + 1) end
    return
  end
  local size = 0
  for _ in next, held do size = size + 1 end
  put_head(size, 0x80, 15, MAP)
  for key, value in next, held do
    put_value(key, level + 1)
    put_value(value, level + 1)
  end
end

function put_value(value, level)
  local kind = type(value)
  if kind == 'string' then
    put_head(#value, 0xa0, 31, RAW)
    put(value)
  elseif kind == 'boolean' then
    put(value and '\195' or '\194')
  elseif kind == 'number' then
    if value >= INTEGER_MIN and value < INTEGER_MAX and floor(value) == value then
      put_integer(value)
    else
      put(pack_float(value))
    end
  elseif kind == 'table' and level < NESTING_MAX then
    put_table(value, level)
  else
    put('\192')
  end
end

local function pack(...)
  local size = select('#', ...)
  if size == 0 then bad_argument(0, 'pack', 'MessagePack pack needs input.') end
  out, count = {}, 0
  for index = 1, size do put_value((select(index, ...)), 0) end
  local packed = concat(out)
  kit.charge(#packed)
  out = nil
  return packed
end

-- unpack ---------------------------------------------------------------------------------------

local text, at, stop      -- the input, the index of its next byte, and of its last
local read

local function need(size)
  if stop - at + 1 < size then fail('Missing bytes in input.') end
end

local function unsigned(size)
  need(size + 1)
  local number = 0
  for index = at + 1, at + size do number = number * 256 + byte(text, index) end
  at = at + size + 1
  return number
end

local function signed(size)
  local number, limit = unsigned(size), 2 ^ (8 * size)
  return number >= limit / 2 and number - limit or number
end

local function raw(size)
  need(size)
  at = at + size
  return sub(text, at - size, at - 1)
end

local function array(size)
  local made = {}
  for index = 1, size do made[index] = read() end
  return made
end

local function map(size)
  local made = {}
  for _ = 1, size do
    local key = read()
    local value = read()
    if key == nil or key ~= key then
      error(key == nil and 'table index is nil' or 'table index is NaN', 0)
    end
    made[key] = value
  end
  return made
end

local readers = {
  [0xc0] = function() at = at + 1 return nil end,
  [0xc2] = function() at = at + 1 return false end,
  [0xc3] = function() at = at + 1 return true end,
  [0xca] = function() need(5) at = at + 5 return unpack_float(sub(text, at - 4, at - 1)) end,
  [0xcb] = function() need(9) at = at + 9 return unpack_float(sub(text, at - 8, at - 1)) end,
  [0xcc] = function() local v = unsigned(1) return v end,
  [0xcd] = function() local v = unsigned(2) return v end,
  [0xce] = function() local v = unsigned(4) return v end,
  [0xcf] = function() need(9) at = at + 9 return host.unpack_int64(sub(text, at - 8, at - 1)) end,
  [0xd0] = function() local v = signed(1) return v end,
  [0xd1] = function() local v = signed(2) return v end,
  [0xd2] = function() local v = signed(4) return v end,
  [0xd3] = function() need(9) at = at + 9 return host.unpack_int64(sub(text, at - 8, at - 1)) end,
  [0xd9] = function() local v = raw(unsigned(1)) return v end,
  [0xda] = function() local v = raw(unsigned(2)) return v end,
  [0xdb] = function() local v = raw(unsigned(4)) return v end,
  [0xdc] = function() local v = array(unsigned(2)) return v end,
  [0xdd] = function() local v = array(unsigned(4)) return v end,
  [0xde] = function() local v = map(unsigned(2)) return v end,
  [0xdf] = function() local v = map(unsigned(4)) return v end,
}

function read()
  need(1)
  local mark = byte(text, at)
  local reader = readers[mark]
  if reader then
    local value = reader()      -- no tail call, which would hide the frame of the script
    return value
  end
  if mark > 0xc0 and mark < 0xe0 then fail('Bad data format in input.') end
  at = at + 1
  if mark < 0x80 then return mark
  elseif mark >= 0xe0 then return mark - 256
  end
  local value
  if mark >= 0xa0 then value = raw(mark - 0xa0)
  elseif mark >= 0x90 then value = array(mark - 0x90)
  else value = map(mark - 0x80)
  end
  return value
end

local function unpack_some(name, input, limit, offset)
  if type(input) == 'number' then input = '' .. input end
  if type(input) ~= 'string' then
    bad_argument(1, name, 'string expected, got ' .. (input == nil and 'no value' or type(input)))
  end
  local all = limit == 0 and offset == 0
  if offset < 0 or limit < 0 then
    fail('Invalid request to unpack with offset of ' .. offset .. ' and limit of ' .. #input .. '.')
  elseif offset > #input then
    fail('Start offset ' .. offset .. ' greater than input length ' .. #input .. '.')
  end
  text, at, stop = input, offset + 1, #input
  local found, size = {}, 0
  while at <= stop and (all or size < limit) do
    size = size + 1
    if size >= 7900 then
      fail('stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)')
    end
    found[size] = read()
  end
  local rest = at > stop and -1 or at - 1
  text = nil
  return rest, found, size
end

kit.resets.cmsgpack = function() text, out = nil, nil end

return {
  pack = pack,
  unpack = function(input)
    local _, found, size = unpack_some('unpack', input, 0, 0)
    return unpack(found, 1, size)
  end,
  unpack_one = function(input, offset)
    offset = offset == nil and 0 or check_integer(offset, 2, 'unpack_one')
    local rest, found, size = unpack_some('unpack_one', input, 1, offset)
    return rest, unpack(found, 1, size)
  end,
  unpack_limit = function(input, limit, offset)
    limit = check_integer(limit, 2, 'unpack_limit')
    offset = offset == nil and 0 or check_integer(offset, 3, 'unpack_limit')
    local rest, found, size = unpack_some('unpack_limit', input, limit, offset)
    if limit == 0 and offset == 0 then return unpack(found, 1, size) end
    return rest, unpack(found, 1, size)
  end,
  _NAME = 'cmsgpack', _VERSION = 'lua-cmsgpack 0.4.0',
  _COPYRIGHT = 'Copyright (C) 2012, Salvatore Sanfilippo',
  _DESCRIPTION = 'MessagePack C implementation for Lua',
}
