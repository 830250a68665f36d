-- The library `cjson`: JSON as lua-cjson 2.1.0 writes and reads it, with the same options.
local kit = ...
local byte, char, find, format, gsub = string.byte, string.char, string.find, string.format, string.gsub
local lower, match, sub = string.lower, string.match, string.sub
local concat, floor, next, rawequal, rawget, rawset = table.concat, math.floor, next, rawequal, rawget, rawset
local select, setmetatable, tonumber, tostring, type = select, setmetatable, tonumber, tostring, type
local charge, fail, bad_argument, check_integer, null = kit.charge, kit.fail, kit.bad_argument, kit.check_integer, kit.null
local contents, resets = kit.contents, setmetatable({}, {__mode = 'k'})
local INTEGER_MAX = 2147483647
local STACK_MAX = 2600           -- deeper values exceed the stack of Lua in Redis

local function new_library()
local sparse_convert, sparse_ratio, sparse_safe = false, 2, 10
local encode_depth, decode_depth, precision = 1000, 1000, 14
local keep_buffer, encode_invalid, decode_invalid = true, 'off', true
local number_format = '%.14g'

-- encode ---------------------------------------------------------------------------------------

local escapes = {['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\127'] = '\\u007f',
  ['\b'] = '\\b', ['\t'] = '\\t', ['\n'] = '\\n', ['\f'] = '\\f', ['\r'] = '\\r'}
for code = 0, 31 do
  local letter = char(code)
  escapes[letter] = escapes[letter] or format('\\u%04x', code)
end

local out, count

local function put(piece)
  count = count + 1
  out[count] = piece
end

local PIECE_BYTES = 0x10000

local function quoted(value)
  if #value > PIECE_BYTES then
    local parts = {}
    for at = 1, #value, PIECE_BYTES do
      local part = sub(value, at, at + PIECE_BYTES - 1)
      parts[#parts + 1] = gsub(part, '[%z\1-\31"\\/\127]', escapes)
      charge(10 * PIECE_BYTES)
    end
    return '"' .. concat(parts) .. '"'
  end
  charge(#value)
  if find(value, '[%c"\\/]') then
    value = gsub(value, '[%z\1-\31"\\/\127]', escapes)
  end
  return '"' .. value .. '"'
end

local function number_text(value)
  if value ~= value or value == 1 / 0 or value == -1 / 0 then
    if encode_invalid == 'off' then
      fail('Cannot serialise number: must not be NaN or Inf')
    elseif encode_invalid == 'null' then
      return 'null'
    elseif value ~= value then
      return 'nan'
    end
    return value > 0 and 'inf' or '-inf'
  end
  return format(number_format, value)
end

-- Return the length of an array, or -1 for an object.
local function length_of(held)
  local max, items = 0, 0
  for key in next, held do
    if type(key) ~= 'number' or floor(key) ~= key or key < 1 then return -1 end
    if key > max then max = key end
    items = items + 1
  end
  if sparse_ratio > 0 and max > items * sparse_ratio and max > sparse_safe then
    if not sparse_convert then
      fail('Cannot serialise table: excessively sparse array')
    end
    return -1
  end
  return max
end

local put_value

local function put_object(held, depth)
  local separator = '{'
  for key, value in next, held do
    if type(key) == 'number' then
      put(separator .. '"' .. number_text(key) .. '":')
    elseif type(key) == 'string' then
      put(separator .. quoted(key) .. ':')
    else
      fail('Cannot serialise ' .. type(key) .. ': table key must be a number or string')
    end
    put_value(value, depth)
    separator = ','
  end
  put(separator == '{' and '{}' or '}')
end

local function put_table(held, depth)
  depth = depth + 1
  if depth > encode_depth or depth > STACK_MAX then
    fail('Cannot serialise, excessive nesting (' .. depth .. ')')
  end
  held = contents[held] or held
  local size = length_of(held)
  if size <= 0 then
    put_object(held, depth)
    return
  end
  for index = 1, size do
    put(index == 1 and '[' or ',')
    put_value(rawget(held, index), depth)
  end
  put(']')
end

function put_value(value, depth)
  local kind = type(value)
  if kind == 'string' then
    put(quoted(value))
  elseif kind == 'number' then
    put(number_text(value))
  elseif kind == 'boolean' then
    put(value and 'true' or 'false')
  elseif kind == 'table' then
    put_table(value, depth)
  elseif kind == 'nil' or rawequal(value, null) then
    put('null')
  else
    fail('Cannot serialise ' .. kind .. ': type not supported')
  end
end

local function encode(...)
  if select('#', ...) ~= 1 then
    bad_argument(select('#', ...) == 0 and 1 or 1, 'encode', 'expected 1 argument')
  end
  out, count = {}, 0
  put_value((...), 0)
  local encoded = concat(out)
  out = nil
  return encoded
end

-- decode ---------------------------------------------------------------------------------------

local text, at, depth      -- the input, the index of its next character, the depth there
local token, value, place  -- the token that was read last

local singles = {['{'] = 'T_OBJ_BEGIN', ['}'] = 'T_OBJ_END', ['['] = 'T_ARR_BEGIN',
  [']'] = 'T_ARR_END', [','] = 'T_COMMA', [':'] = 'T_COLON'}
local unescaped = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', t = '\t', n = '\n',
  f = '\f', r = '\r'}

local function set_error(reason)
  token, value, place = 'T_ERROR', reason, at
end

local function utf8(code)
  if code <= 0x7f then
    return char(code)
  elseif code <= 0x7ff then
    return char(0xc0 + floor(code / 64), 0x80 + code % 64)
  elseif code <= 0xffff then
    return char(0xe0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xf0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
    0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- Return the character of an escape such as \u00e4 at `from`, and its length; nil if it is invalid.
local function unicode(from)
  local digits = match(text, '^%x%x%x%x', from + 2)
  if not digits then return nil end
  local code = tonumber(digits, 16)
  if code >= 0xdc00 and code <= 0xdfff then
    return nil
  elseif code >= 0xd800 and code <= 0xdbff then
    digits = match(text, '^\\u(%x%x%x%x)', from + 6)
    local second = digits and tonumber(digits, 16)
    if not second or second < 0xdc00 or second > 0xdfff then return nil end
    return utf8((code - 0xd800) * 1024 + second - 0xdc00 + 0x10000), 12
  end
  return utf8(code), 6
end

local function read_string()
  local stop = find(text, '["\\%z]', at + 1)
  if stop and byte(text, stop) == 34 then
    token, value, at = 'T_STRING', sub(text, at + 1, stop - 1), stop + 1
    return
  end
  local parts, size = {}, 0
  at = at + 1
  while true do
    stop = find(text, '["\\%z]', at)
    local mark = stop and byte(text, stop)
    if not stop or mark == 0 then
      at = stop or #text + 1
      return set_error('unexpected end of string')
    end
    size = size + 1
    parts[size] = sub(text, at, stop - 1)
    at = stop
    if mark == 34 then
      token, value, at = 'T_STRING', concat(parts), stop + 1
      return
    end
    local letter = sub(text, stop + 1, stop + 1)
    local made, length = unescaped[letter], 2
    if letter == 'u' then
      made, length = unicode(stop)
      if not made then return set_error('invalid unicode escape code') end
    elseif not made then
      return set_error('invalid escape code')
    end
    size = size + 1
    parts[size] = made
    at = stop + length
  end
end

-- Return whether a number is none of JSON, which `decode_invalid_numbers` may allow.
local function is_invalid_number()
  if sub(text, at, at) == '+' then return true end
  local from = sub(text, at, at) == '-' and at + 1 or at
  local letter = sub(text, from, from)
  if letter == '0' then
    return find(text, '^[xX%d]', from + 1) ~= nil
  elseif letter <= '9' then
    return false
  end
  local word = lower(sub(text, from, from + 2))
  return word == 'inf' or word == 'nan'
end

local function read_number()
  local found = match(text, '^[-+]?0[xX]%x+', at)
  if found then
    local digits = match(found, '%x+$')
    value = tonumber(digits, 16)
    if sub(found, 1, 1) == '-' then value = -value end
  else
    found = match(text, '^[-+]?%d+%.?%d*', at)
    if found then
      found = found .. (match(text, '^[eE][-+]?%d+', at + #found) or '')
      value = tonumber(found)
    else
      local sign, word = match(text, '^([-+]?)(%a+)', at)
      word = word and lower(word)
      if word and sub(word, 1, 3) == 'nan' then
        found, value = sign .. 'nan', sign == '-' and 0 / 0 or -(0 / 0)
      elseif word and sub(word, 1, 3) == 'inf' then
        found = sign .. (sub(word, 1, 8) == 'infinity' and 'infinity' or 'inf')
        value = sign == '-' and -1 / 0 or 1 / 0
      else
        return set_error('invalid number')
      end
    end
  end
  token, at = 'T_NUMBER', at + #found
end

local function next_token()
  at = find(text, '[^ \t\n\r]', at) or #text + 1
  place = at
  local letter = sub(text, at, at)
  token = singles[letter]
  if token then
    at = at + 1
  elseif letter == '"' then
    read_string()
  elseif find(letter, '^[-%d]') then
    if not decode_invalid and is_invalid_number() then
      set_error('invalid number')
    else
      read_number()
    end
  elseif letter == '' or letter == '\0' then
    token = 'T_END'
  elseif sub(text, at, at + 3) == 'true' then
    token, value, at = 'T_BOOLEAN', true, at + 4
  elseif sub(text, at, at + 4) == 'false' then
    token, value, at = 'T_BOOLEAN', false, at + 5
  elseif sub(text, at, at + 3) == 'null' then
    token, at = 'T_NULL', at + 4
  elseif decode_invalid and find(letter, '^[iInN+]') and is_invalid_number() then
    read_number()
  else
    set_error('invalid token')
  end
end

local function refuse(expected)
  fail('Expected ' .. expected .. ' but found ' .. (token == 'T_ERROR' and value or token)
    .. ' at character ' .. place)
end

local read_value

local function descend()
  depth = depth + 1
  if depth > decode_depth or depth > STACK_MAX then
    fail('Found too many nested data structures (' .. depth .. ') at character ' .. at - 1)
  end
end

local function read_object()
  descend()
  local made = {}
  next_token()
  if token ~= 'T_OBJ_END' then
    while true do
      if token ~= 'T_STRING' then refuse('object key string') end
      local key = value
      next_token()
      if token ~= 'T_COLON' then refuse('colon') end
      next_token()
      made[key] = read_value()
      next_token()
      if token == 'T_OBJ_END' then break end
      if token ~= 'T_COMMA' then refuse('comma or object end') end
      next_token()
    end
  end
  depth = depth - 1
  return made
end

local function read_array()
  descend()
  local made, index = {}, 0
  next_token()
  if token ~= 'T_ARR_END' then
    while true do
      index = index + 1
      made[index] = read_value()
      next_token()
      if token == 'T_ARR_END' then break end
      if token ~= 'T_COMMA' then refuse('comma or array end') end
      next_token()
    end
  end
  depth = depth - 1
  return made
end

function read_value()
  if token == 'T_STRING' or token == 'T_NUMBER' or token == 'T_BOOLEAN' then
    return value
  elseif token == 'T_OBJ_BEGIN' then
    local made = read_object()      -- no tail call, which would hide the frame of the script
    return made
  elseif token == 'T_ARR_BEGIN' then
    local made = read_array()
    return made
  elseif token == 'T_NULL' then
    return null
  end
  refuse('value')
end

local function decode(...)
  local input = ...
  if select('#', ...) ~= 1 then bad_argument(1, 'decode', 'expected 1 argument') end
  if type(input) == 'number' then input = tostring(input) end
  if type(input) ~= 'string' then
    bad_argument(1, 'decode', 'string expected, got ' .. type(input))
  elseif #input >= 2 and find(sub(input, 1, 2), '%z') then
    fail('JSON parser does not support UTF-16 or UTF-32')
  end
  text, at, depth = input, 1, 0
  next_token()
  local result = read_value()
  next_token()
  if token ~= 'T_END' then refuse('the end') end
  text = nil
  return result
end

-- options --------------------------------------------------------------------------------------

local function check_count(name, max, ...)
  if select('#', ...) > max then
    bad_argument(max + 1, name, 'found too many arguments')
  end
end

local function integer(given, name, index, min, max)
  local number = check_integer(given, index, name)
  if number < min or number > max then
    bad_argument(1, name, 'expected integer between ' .. min .. ' and ' .. max)
  end
  return number
end

local function boolean(given, name, index)
  if type(given) == 'boolean' then return given end
  if given == 'on' or given == 'off' then return given == 'on' end
  if type(given) ~= 'string' and type(given) ~= 'number' then
    bad_argument(index, name, 'string expected, got ' .. type(given))
  end
  bad_argument(index, name, "invalid option '" .. given .. "'")
end

local library = {encode = encode, decode = decode, null = null, new = new_library,
  _NAME = 'cjson', _VERSION = '2.1.0'}

resets[library] = function() text, out, value = nil, nil, nil end

function library.encode_sparse_array(...)
  check_count('encode_sparse_array', 3, ...)
  local convert, ratio, safe = ...
  if convert ~= nil then sparse_convert = boolean(convert, 'encode_sparse_array', 1) end
  if ratio ~= nil then sparse_ratio = integer(ratio, 'encode_sparse_array', 2, 0, INTEGER_MAX) end
  if safe ~= nil then sparse_safe = integer(safe, 'encode_sparse_array', 3, 0, INTEGER_MAX) end
  return sparse_convert, sparse_ratio, sparse_safe
end

function library.encode_max_depth(...)
  check_count('encode_max_depth', 1, ...)
  if (...) ~= nil then encode_depth = integer((...), 'encode_max_depth', 1, 1, INTEGER_MAX) end
  return encode_depth
end

function library.decode_max_depth(...)
  check_count('decode_max_depth', 1, ...)
  if (...) ~= nil then decode_depth = integer((...), 'decode_max_depth', 1, 1, INTEGER_MAX) end
  return decode_depth
end

function library.encode_number_precision(...)
  check_count('encode_number_precision', 1, ...)
  if (...) ~= nil then
    precision = integer((...), 'encode_number_precision', 1, 1, 14)
    number_format = '%.' .. precision .. 'g'
  end
  return precision
end

function library.encode_keep_buffer(...)
  check_count('encode_keep_buffer', 1, ...)
  if (...) ~= nil then keep_buffer = boolean((...), 'encode_keep_buffer', 1) end
  return keep_buffer
end

function library.encode_invalid_numbers(...)
  check_count('encode_invalid_numbers', 1, ...)
  local given = ...
  if given == 'null' then
    encode_invalid = 'null'
  elseif given ~= nil then
    encode_invalid = boolean(given, 'encode_invalid_numbers', 1) and 'on' or 'off'
  end
  if encode_invalid == 'null' then return 'null' end
  return encode_invalid == 'on'
end

function library.decode_invalid_numbers(...)
  check_count('decode_invalid_numbers', 1, ...)
  if (...) ~= nil then decode_invalid = boolean((...), 'decode_invalid_numbers', 1) end
  return decode_invalid
end

return library
end

kit.resets.cjson = function()
  for _, reset in next, resets do reset() end
end

return new_library()
