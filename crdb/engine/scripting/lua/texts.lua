-- Functions of `string` and `table` whose time grows with their arguments.
--
-- The hook counts instructions, and a call of C is one of them. So each call here is charged, and
-- `charge` looks at the clock when enough has come together. What may take long alone is done in
-- pieces.
local kit = ...
local charge, contents, fail, bad_argument = kit.charge, kit.contents, kit.fail, kit.bad_argument
local type_name, patterns, is_killed, end_now = kit.type_name, kit.patterns, kit.is_killed, kit.end_now
local getinfo, host, translate = kit.getinfo, kit.host, kit.translate
local error, floor, max, min, pcall, select = error, math.floor, math.max, math.min, pcall, select
local next, rawget, tonumber, tostring, type, unpack = next, rawget, tonumber, tostring, type, unpack
local find, gsub, sub = string.find, string.gsub, string.sub
local concat, sort = table.concat, table.sort
local PIECE_BYTES = 0x40000       -- what is handled without a look at the clock
local PATTERN_BYTES_MAX = 10000   -- a longer pattern could exhaust the stack of the process
local STEPS_MAX = kit.host.matched_steps_max
local STEPS_PER_BYTE = 4          -- most bounds are much too high
local ELEMENT = 10                -- what an element of a table costs, compared with copying a byte
local NEEDLE_BYTES_MAX = 100      -- the host looks for longer texts, in linear time
local SORTED_MAX = 1000           -- a longer table is sorted in steps that can be interrupted
local SORTED_BYTES_MAX = 100000
local JOINED_MAX = 4096
local strings, tables = {}, {}

-- Return an argument as a text. Numbers are texts, too.
local function text_of(value, index, name, ...)
  if type(value) == 'string' then return value end
  if type(value) == 'number' then return tostring(value) end
  local info = getinfo(2, 'n')
  if info.namewhat == 'method' then index = index - 1 end
  bad_argument(max(index, 1), name, 'string expected, got ' .. type_name(value, select('#', ...), index))
end

local function whole(value)
  return value < 0 and -floor(-value) or floor(value)
end

-- Return a function of C that handles each byte of a text, in pieces.
local function in_pieces(name, is_backwards)
  local native = string[name]
  return function(...)
    local value = ...
    local text = text_of(value, 1, name, ...)
    local size = #text
    charge(size)
    if size <= PIECE_BYTES then return native(text) end
    local parts, count = {}, floor((size - 1) / PIECE_BYTES) + 1
    for index = 1, count do
      local from = (index - 1) * PIECE_BYTES
      parts[is_backwards and count + 1 - index or index] = native(sub(text, from + 1, from + PIECE_BYTES))
      charge(PIECE_BYTES)
    end
    return concat(parts)
  end
end

strings.lower, strings.upper = in_pieces('lower'), in_pieces('upper')
strings.reverse = in_pieces('reverse', true)

local rep = string.rep

function strings.rep(...)
  local text, count = ...
  text = text_of(text, 1, 'rep', ...)
  local number = tonumber(count)
  if not number then
    local index = getinfo(1, 'n').namewhat == 'method' and 1 or 2
    bad_argument(index, 'rep', 'number expected, got ' .. type_name(count, select('#', ...), 2))
  end
  if text == '' or number < 1 then return '' end
  number = whole(number)
  local size = #text * number
  charge(min(size, PIECE_BYTES))
  if #text > 4096 or size <= PIECE_BYTES or size > kit.memory_bytes then return rep(text, number) end
  -- Copying few large pieces is much faster than copying many small ones.
  local times = floor(0x10000 / #text)
  local made = rep(rep(text, times), floor(number / times)) .. rep(text, number % times)
  charge(size)
  return made
end

-- The native function is called by its name, which its errors have.
local string = string

function strings.format(...)
  local made = string.format(...)
  charge(#made)
  return made
end

-- Patterns -----------------------------------------------------------------------------------------

-- Return a text, a pattern and its parsed form; also whether the matcher of Lua may take it.
local function prepared(name, has_anchor, ...)
  local text, pattern = ...
  text, pattern = text_of(text, 1, name, ...), text_of(pattern, 2, name, ...)
  if #pattern > PATTERN_BYTES_MAX then fail('pattern too complex') end
  local parsed = patterns.parsed(pattern, has_anchor)
  local steps = patterns.cost_of(parsed, #text)
  charge(#text + min(steps, 1e7) / STEPS_PER_BYTE)
  return text, pattern, parsed, steps <= STEPS_MAX
end

-- Return the index of the first byte at which a search begins.
local function start_of(from, size)
  from = whole(tonumber(from) or 1)
  if from < 0 then from = from + size + 1 end
  return min(max(from, 1), size + 1)
end

-- Find a text as it is, in pieces that overlap. None of them takes long.
local function find_plain(text, wanted, at)
  local size, length = #text, #wanted
  local piece = max(PIECE_BYTES, 2 * length)
  while true do
    local stop = min(at + piece + length - 1, size)
    local found
    if length <= NEEDLE_BYTES_MAX then
      if at == 1 and stop == size then
        found = find(text, wanted, 1, true)
      else
        found = find(sub(text, at, stop), wanted, 1, true)
      end
    else
      found = host.find_text(sub(text, at, stop), wanted)
    end
    charge(piece)
    if found then return at + found - 1, at + found + length - 2 end
    if stop >= size then return nil end
    at = at + piece
  end
end

local function is_small(text, wanted)
  return #text <= PIECE_BYTES and (#wanted <= NEEDLE_BYTES_MAX or #text * #wanted <= STEPS_MAX)
end

-- Return whether a pattern has no special characters before its first zero, where they end.
local function is_plain(pattern)
  local special = find(pattern, '[%z%^%$%*%+%?%.%(%[%%%-]')
  return not special or sub(pattern, special, special) == '\0'
end

local native_find, native_match = string.find, string.match

function strings.find(...)
  local text, pattern, from, is_text = ...
  if is_text then
    text, pattern = text_of(text, 1, 'find', ...), text_of(pattern, 2, 'find', ...)
  end
  if is_text or (type(pattern) == 'string' and type(text) == 'string' and is_plain(pattern)) then
    charge(#text)
    if is_small(text, pattern) then return native_find(text, pattern, from, true) end
    return find_plain(text, pattern, start_of(from, #text))
  end
  local parsed, is_cheap
  text, pattern, parsed, is_cheap = prepared('find', true, ...)
  if is_cheap then return native_find(text, pattern, from) end
  local match = patterns.match_of(text, parsed)
  local first, last = match:search(start_of(from, #text))
  if not first then return nil end
  if match.level == 0 then return first, last end
  local found, count = match:captures(first, last)
  return first, last, unpack(found, 1, count)
end

function strings.match(...)
  local _, _, from = ...
  local text, pattern, parsed, is_cheap = prepared('match', true, ...)
  if is_cheap then return native_match(text, pattern, from) end
  local match = patterns.match_of(text, parsed)
  local first, last = match:search(start_of(from, #text))
  if not first then return nil end
  local found, count = match:captures(first, last)
  return unpack(found, 1, count)
end

local native_gmatch = string.gmatch

function strings.gmatch(...)
  local text, pattern, parsed, is_cheap = prepared('gmatch', false, ...)
  if is_cheap then return native_gmatch(text, pattern) end
  local match, at = patterns.match_of(text, parsed), 1
  return function()
    if at > #text + 1 then return nil end
    local first, last = match:search(at)
    if not first then
      at = #text + 2
      return nil
    end
    at = max(last, first) + 1
    local found, count = match:captures(first, last)
    return unpack(found, 1, count)
  end
end

strings.gfind = string.gfind

function strings.gsub(...)
  local _, _, replacement, limit = ...
  local text, pattern, parsed, is_cheap = prepared('gsub', true, ...)
  local kind = type(replacement)
  if is_cheap or (kind ~= 'string' and kind ~= 'number' and kind ~= 'table' and kind ~= 'function') then
    if is_cheap then return gsub(text, pattern, replacement, limit) end
    bad_argument(3, 'gsub', 'string/function/table expected')
  end
  if limit ~= nil then limit = whole(kit.check_integer(limit, 4, 'gsub')) end
  -- No tail call: it would hide the place of an error.
  local made, count = patterns.replace(text, parsed, replacement, limit or #text + 1)
  return made, count
end

-- Tables -------------------------------------------------------------------------------------------

for _, name in next, {'insert', 'remove', 'setn'} do
  local native = table[name]
  tables[name] = function(held, ...)
    if contents[held] then error(kit.modified, 0) end
    -- Elements are moved, unless the place is the last one.
    if type(held) == 'table' and (...) ~= nil and (name == 'remove' or select('#', ...) > 1) then
      charge(ELEMENT * #held)
    end
    return native(held, ...)
  end
end

local function is_less(a, b)
  if is_killed() then end_now() end
  charge(type(a) == 'string' and #a or 0)
  return a < b
end

-- Return whether the elements of a table are compared quickly.
local function is_quick(held, size)
  local bytes = 0
  for index = 1, size do
    local value = rawget(held, index)
    if type(value) == 'string' then bytes = bytes + #value end
  end
  return bytes <= SORTED_BYTES_MAX
end

function tables.sort(held, compare)
  if contents[held] then error(kit.modified, 0) end
  if compare ~= nil or type(held) ~= 'table' then return sort(held, compare) end
  local size = #held
  charge(ELEMENT * size)
  if size <= SORTED_MAX and is_quick(held, size) then return sort(held) end
  local ok, message = pcall(sort, held, is_less)     -- the message has no place, as in Redis
  if not ok then error(translate(message), 0) end
end

-- Join a long table in pieces, which are joined again.
function tables.concat(...)
  local held, between, from, to = ...
  local is_long = type(held) == 'table' and not contents[held] and #held > JOINED_MAX
  if not is_long or (between ~= nil and type(between) ~= 'string') then
    charge(type(held) == 'table' and ELEMENT * #held or 0)
    return concat(...)
  end
  from, to = tonumber(from or 1), tonumber(to or #held)
  if not from or not to then return concat(...) end
  local parts = {}
  for first = from, to, JOINED_MAX do
    parts[#parts + 1] = concat(held, between, first, min(first + JOINED_MAX - 1, to))
    charge(ELEMENT * JOINED_MAX + #parts[#parts])
  end
  return concat(parts, between)
end

local native_maxn = table.maxn

function tables.maxn(held)
  charge(type(held) == 'table' and ELEMENT * #held or 0)
  return native_maxn(held)
end

return {strings = strings, tables = tables}
