-- Replies of commands as values of Lua, and results of scripts as replies.
local kit = ...
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, floor = table.concat, math.floor
local next, rawget, tonumber, type = next, rawget, tonumber, type
local format_double, make_error = kit.host.format_double, kit.make_error

-- The places on the stack of Lua that Redis needs for nested results. An element of an array needs
-- one, those of a map and a set more.
local DEPTH_MAX = kit.host.depth_max
local TOO_DEEP = '-ERR reached lua stack limit\r\n'

-- parse ----------------------------------------------------------------------------------------

local text, at        -- the encoded reply, and where its rest begins
local value_of

local function line()
  local stop = find(text, '\r\n', at, true)
  local found = sub(text, at + 1, stop - 1)
  at = stop + 2
  return found
end

local function bulk()
  local size = tonumber(line())
  if size < 0 then return false end
  local found = sub(text, at, at + size - 1)
  at = at + size + 2
  return found
end

local readers = {
  [36] = bulk,                                            -- $
  [58] = function() return tonumber(line()) end,          -- :
  [43] = function() return {ok = line()} end,             -- +
  [95] = function() line() return nil end,                -- _
  [35] = function() return line() == 't' end,             -- #
  [44] = function()                                       -- ,
    local found = line()
    if found == 'inf' then return {double = 1 / 0} end
    if found == '-inf' then return {double = -1 / 0} end
    if found == 'nan' then return {double = 0 / 0} end
    return {double = tonumber(found)}
  end,
  [40] = function() return {big_number = line()} end,     -- (
  [45] = function()                                       -- -
    return make_error('-' .. line(), true)
  end,
  [61] = function()                                       -- =
    local found = bulk()
    return {verbatim_string = {string = sub(found, 5), format = sub(found, 1, 3)}}
  end,
  [42] = function()                                       -- *
    local count, made = tonumber(line()), {}
    if count < 0 then return false end
    for index = 1, count do made[index] = value_of() end
    return made
  end,
  [126] = function()                                      -- ~
    local count, made = tonumber(line()), {}
    for _ = 1, count do
      local member = value_of()
      if member ~= nil then made[member] = true end
    end
    return {set = made}
  end,
  [37] = function()                                       -- %
    local count, made = tonumber(line()), {}
    for _ = 1, count do
      local key = value_of()
      local value = value_of()
      if key ~= nil then made[key] = value end
    end
    return {map = made}
  end,
}

function value_of()
  return readers[byte(text, at)]()
end

local function parse(encoded)
  text, at = encoded, 1
  local value = value_of()
  text = nil
  return value
end

-- encode ---------------------------------------------------------------------------------------

local function integer(number)
  if number > -1e14 and number < 1e14 and number == floor(number) then
    return ':' .. (number == 0 and 0 or number) .. '\r\n'
  elseif number ~= number or number >= 9223372036854775808 or number < -9223372036854775808 then
    return ':-9223372036854775808\r\n'      -- as a cast of C does
  end
  number = number < 0 and -floor(-number) or floor(number)
  return format(':%.0f\r\n', number == 0 and 0 or number)
end

local function one_line(value)
  value = sub(value, 1, (find(value, '%z') or 0) - 1)
  return (gsub(value, '[\r\n]', ' '))
end

local out, count, protocol, script_protocol

local function put(piece)
  count = count + 1
  out[count] = piece
end

local function put_bulk(value)
  put('$' .. #value .. '\r\n')
  put(value)
  put('\r\n')
end

local put_value

-- Append the elements of a map or a set behind a header, which is known at the end.
local function put_pairs(held, depth, is_map)
  put('')
  local header, size = count, 0
  for key, value in next, held do
    put_value(key, depth + (is_map and 4 or 3))
    if is_map then put_value(value, depth + 3) end
    size = size + 1
  end
  if protocol == 2 then
    out[header] = '*' .. (is_map and 2 * size or size) .. '\r\n'
  else
    out[header] = (is_map and '%' or '~') .. size .. '\r\n'
  end
end

local function put_array(held, depth)
  put('')
  local header, size = count, 0
  while true do
    local value = rawget(held, size + 1)
    if value == nil then break end
    put_value(value, depth + 1)
    size = size + 1
  end
  out[header] = '*' .. size .. '\r\n'
end

local function put_error(value)
  value = sub(value, 1, (find(value, '%z') or 0) - 1)
  value = sub(value, find(value, '[^\r\n]') or #value + 1)
  value = sub(value, 1, find(value, '[\r\n]*$') - 1)
  put('-' .. gsub(value, '[\r\n]', ' ') .. '\r\n')
end

local function put_verbatim(held)
  local kind, value = rawget(held, 'format'), rawget(held, 'string')
  if type(kind) ~= 'string' or type(value) ~= 'string' then
    return false
  elseif protocol == 2 then
    put_bulk(value)
  else
    kind = sub(kind .. '\0\0\0', 1, 3)
    put('=' .. #value + 4 .. '\r\n' .. kind .. ':')
    put(value)
    put('\r\n')
  end
  return true
end

local function put_table(held, depth)
  local value = rawget(held, 'err')
  if type(value) == 'string' then return put_error(value) end
  value = rawget(held, 'ok')
  if type(value) == 'string' then return put('+' .. one_line(value) .. '\r\n') end
  value = rawget(held, 'double')
  if type(value) == 'number' then
    if value == 0 and 1 / value < 0 then value = '-0' end     -- the host gets it as an integer
    return put(format_double(value, protocol))
  end
  value = rawget(held, 'big_number')
  if type(value) == 'string' then
    value = gsub(value, '[\r\n]', ' ')
    if protocol == 2 then return put_bulk(value) end
    return put('(' .. value .. '\r\n')
  end
  value = rawget(held, 'verbatim_string')
  if type(value) == 'table' and put_verbatim(value) then return end
  value = rawget(held, 'map')
  if type(value) == 'table' then return put_pairs(value, depth, true) end
  value = rawget(held, 'set')
  if type(value) == 'table' then return put_pairs(value, depth, false) end
  return put_array(held, depth)
end

function put_value(value, depth)
  if depth > DEPTH_MAX then return put(TOO_DEEP) end
  local kind = type(value)
  if kind == 'string' then
    put_bulk(value)
  elseif kind == 'number' then
    put(integer(value))
  elseif kind == 'table' then
    put_table(value, depth)
  elseif kind == 'boolean' and script_protocol == 3 then
    if protocol == 2 then put(value and ':1\r\n' or ':0\r\n') else put(value and '#t\r\n' or '#f\r\n') end
  elseif kind == 'boolean' and value then
    put(':1\r\n')
  else
    put(protocol == 2 and '$-1\r\n' or '_\r\n')
  end
end

-- Return the reply to a client that speaks version `client`, of a script that chose `script`.
local function encode(value, client, script)
  out, count, protocol, script_protocol = {}, 0, client, script
  put_value(value, 1)
  local encoded = concat(out)
  kit.charge(#encoded)
  out = nil
  return encoded
end

kit.resets.replies = function() text, out = nil, nil end

return {parse = parse, encode = encode, integer = integer}
