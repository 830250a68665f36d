-- The functions of strings and tables that scripts see. What may take long is charged by its bytes.
local kit = ...
local charge, contents, fail = kit.charge, kit.contents, kit.fail
local MODIFIED, OWN_SOURCE = kit.MODIFIED, kit.OWN_SOURCE
local error, loadstring, next, pairs, select, type = error, loadstring, next, pairs, select, type
local gsub, min, string, table = string.gsub, math.min, string, table
local CHARGED_MIN = 4096          -- shorter texts are not charged
local PATTERN_PRICE = 8           -- for each byte that is matched
local SORT_PRICE = 16             -- for each item that is sorted
local PATTERN_BYTES_MAX = 10000   -- a longer pattern could exhaust the stack of the process
local SORTED_MAX = 10000          -- a longer table is sorted in steps that can be interrupted
local JOINED_MAX = 10000          -- the items of a table that are joined in one step
local strings, tables = {}, {}

for name, value in pairs(string) do strings[name] = value end
for name, value in pairs(table) do tables[name] = value end

local function pass(...) return ... end

-- Return a function of a library that is charged by its first argument. Errors of the native one
-- have its name, so it is called by its name.
local function charged(library, name, price)
  local code = [[
local library, charge, pass, type, least, price = ...
return function(text, ...)
  if type(text) == 'string' and #text >= least then charge(#text * price) end
  return pass(library.NAME(text, ...))
end]]
  local make = loadstring((gsub(code, 'NAME', name)), OWN_SOURCE)
  return make(library, charge, pass, type, CHARGED_MIN, price)
end

for _, name in next, {'upper', 'lower', 'reverse'} do
  strings[name] = charged(string, name, 1)
end

for _, name in next, {'find', 'match', 'gmatch', 'gsub', 'gfind'} do
  local native = charged(string, name, PATTERN_PRICE)
  strings[name] = function(text, pattern, ...)
    if type(pattern) == 'string' and #pattern > PATTERN_BYTES_MAX then
      if name ~= 'find' or not select(2, ...) then
        fail('pattern too complex')
      end
    end
    return native(text, pattern, ...)
  end
end

function strings.rep(text, count)
  if text == '' then return '' end
  local made = string.rep(text, count)
  charge(#made)
  return made
end

function strings.format(...)
  local made = string.format(...)
  charge(#made)
  return made
end

-- A long table is joined in steps that can be interrupted.
function tables.concat(held, separator, first, last)
  if type(held) ~= 'table' then return pass(table.concat(held, separator, first, last)) end
  first, last = first or 1, last or #held
  if type(first) ~= 'number' or type(last) ~= 'number' or last - first < JOINED_MAX then
    local made = table.concat(held, separator, first, last)
    charge(#made)
    return made
  end
  local parts = {}
  for start = first, last, JOINED_MAX do
    local part = table.concat(held, separator, start, min(start + JOINED_MAX - 1, last))
    charge(#part + CHARGED_MIN)
    parts[#parts + 1] = part
  end
  local made = table.concat(parts, separator)
  charge(#made)
  return made
end

for _, name in next, {'insert', 'remove', 'setn'} do
  local native = table[name]
  tables[name] = function(held, ...)
    if contents[held] then error(MODIFIED, 0) end
    return native(held, ...)
  end
end

local function is_less(a, b) return a < b end

function tables.sort(held, compare)
  if contents[held] then error(MODIFIED, 0) end
  if compare == nil and type(held) == 'table' then
    if #held > SORTED_MAX then compare = is_less end
    charge(#held * SORT_PRICE)
  end
  return table.sort(held, compare)
end

return strings, tables
