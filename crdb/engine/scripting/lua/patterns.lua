-- Matching of patterns, written in Lua so that the hook can pause and end it.
--
-- The matcher of Lua is fast, but it backtracks in C, where nothing can interrupt it. `cost_of`
-- bounds its steps from the pattern and the length of the text. A match that may take too many steps
-- is done by the matcher below. It follows the manual of Lua 5.1 and has the errors of its library.
-- It lets Lua decide which characters are in a class and how far a run of them extends.
local kit = ...
local byte, char, find, sub = string.byte, string.char, string.find, string.sub
local concat, max, min = table.concat, math.max, math.min
local setmetatable, tonumber, tostring, type, unpack = setmetatable, tonumber, tostring, type, unpack
local fail = kit.fail
local CAPTURES_MAX = 32            -- as in Lua
local UNFINISHED, POSITION = -1, -2
local KEPT_MAX, KEPT_BYTES = 256, 200
local kept = {[true] = {}, [false] = {}}   -- parsed patterns, by `has_anchor`
local kept_count = 0
local library = {}

-- Return the index behind the class of characters that begins at `at`, or nil and an error.
local function class_end(pattern, at)
  local first = sub(pattern, at, at)
  if first == '%' then
    if at == #pattern then return nil, "malformed pattern (ends with '%')" end
    return at + 2
  elseif first ~= '[' then
    return at + 1
  end
  at = at + 1
  if sub(pattern, at, at) == '^' then at = at + 1 end
  repeat
    local letter = sub(pattern, at, at)
    if letter == '' then return nil, "malformed pattern (missing ']')" end
    at = at + (letter == '%' and 2 or 1)
  until sub(pattern, at, at) == ']' or at > #pattern
  if at > #pattern then return nil, "malformed pattern (missing ']')" end
  return at + 1
end

-- Return a class of characters. Its numbers cache which characters are in it.
local function class_of(text)
  if text == '^' or text == '$' then text = '%' .. text end
  return {kind = 'class', one = '^' .. text, any = text, run = '^' .. text .. '*'}
end

-- Return the item of a pattern at `at`, and the index behind it.
local function parse_item(pattern, at)
  local first, second = sub(pattern, at, at), sub(pattern, at + 1, at + 1)
  if first == '(' then
    if second == ')' then return {kind = 'position'}, at + 2 end
    return {kind = 'open'}, at + 1
  elseif first == ')' then
    return {kind = 'close'}, at + 1
  elseif first == '$' and at == #pattern then
    return {kind = 'end'}, at + 1
  elseif first == '%' and second == 'b' then
    if at + 3 > #pattern then return {kind = 'error', text = 'unbalanced pattern'}, #pattern + 1 end
    return {kind = 'balance', pair = sub(pattern, at, at + 3)}, at + 4
  elseif first == '%' and find(second, '^%d') then
    return {kind = 'back', index = tonumber(second)}, at + 2
  end
  local is_frontier = first == '%' and second == 'f'
  if is_frontier then
    at = at + 2
    if sub(pattern, at, at) ~= '[' then
      return {kind = 'error', text = "missing '[' after '%f' in pattern"}, #pattern + 1
    end
  end
  local stop, text = class_end(pattern, at)
  if not stop then return {kind = 'error', text = text}, #pattern + 1 end
  local item = class_of(sub(pattern, at, stop - 1))
  if is_frontier then
    item.kind = 'frontier'
    return item, stop
  end
  local suffix = find(sub(pattern, stop, stop), '^[*+?-]') and sub(pattern, stop, stop)
  item.suffix = suffix
  return item, suffix and stop + 1 or stop
end

-- Set how the number of steps grows: with the length to the power of `power`, times `factor`.
local function set_cost(parsed)
  local power, factor, is_last = 0, 1, true
  for index = #parsed, 1, -1 do
    local item = parsed[index]
    local kind, suffix = item.kind, item.suffix
    if kind == 'balance' or kind == 'back' then
      power, is_last = power + 1, false
    elseif kind == 'class' or kind == 'frontier' or kind == 'end' then
      if suffix == '?' then
        factor = min(2 * factor, 1e9)
      elseif suffix and not is_last then
        power = power + 1
      end
      is_last = false
    end
  end
  parsed.power, parsed.factor = power, factor * max(#parsed, 1)
end

local function parse(pattern, has_anchor)
  local stop = find(pattern, '%z')
  if stop then pattern = sub(pattern, 1, stop - 1) end
  local parsed, at = {}, 1
  if has_anchor and sub(pattern, 1, 1) == '^' then
    parsed.is_anchored, at = true, 2
  end
  while at <= #pattern do
    parsed[#parsed + 1], at = parse_item(pattern, at)
  end
  set_cost(parsed)
  return parsed
end

-- Return a parsed pattern. A `^` at its beginning is an anchor, except for gmatch.
function library.parsed(pattern, has_anchor)
  local found = kept[has_anchor][pattern]
  if found then return found end
  found = parse(pattern, has_anchor)
  if #pattern <= KEPT_BYTES then
    if kept_count == KEPT_MAX then kept, kept_count = {[true] = {}, [false] = {}}, 0 end
    kept[has_anchor][pattern], kept_count = found, kept_count + 1
  end
  return found
end

-- Return an upper bound of the steps that the matcher of Lua takes, without small constants.
function library.cost_of(parsed, size)
  size = size + 1
  return (parsed.is_anchored and 1 or size) * size ^ parsed.power * parsed.factor
end

local function is_in(item, code)
  local found = item[code]
  if found == nil then
    found = find(char(code), item.one) ~= nil
    item[code] = found
  end
  return found
end

-- One match: the text, its length, and the captures so far -----------------------------------------

local Match = {}
Match.__index = Match

function Match:capture(index, first, last)
  if index > self.level then
    if index == 1 then return sub(self.text, first, last) end
    fail('invalid capture index')
  end
  local size = self.sizes[index]
  if size == UNFINISHED then fail('unfinished capture') end
  local from = self.starts[index]
  if size == POSITION then return from end
  return sub(self.text, from, from + size - 1)
end

function Match:open(at, index, size)
  local level = self.level + 1
  if level > CAPTURES_MAX then fail('too many captures') end
  self.starts[level], self.sizes[level], self.level = at, size, level
  local stop = self:run(at, index + 1)
  if not stop then self.level = level - 1 end
  return stop
end

function Match:close(at, index)
  local sizes, level = self.sizes, self.level
  while level > 0 and sizes[level] ~= UNFINISHED do level = level - 1 end
  if level == 0 then fail('invalid pattern capture') end
  sizes[level] = at - self.starts[level]
  local stop = self:run(at, index + 1)
  if not stop then sizes[level] = UNFINISHED end
  return stop
end

-- Return the index behind what a back reference matches, or nil.
function Match:back(at, index)
  if index < 1 or index > self.level or self.sizes[index] == UNFINISHED then
    fail('invalid capture index')
  end
  local size, from = self.sizes[index], self.starts[index]
  if size == POSITION then return nil end
  kit.charge(size)
  if sub(self.text, from, from + size - 1) == sub(self.text, at, at + size - 1) then
    return at + size
  end
end

-- Return the index behind a balanced text, or nil.
function Match:balance(at, pair)
  kit.charge(self.size - at)
  local _, stop = find(self.text, '^' .. pair, at)
  return stop and stop + 1
end

function Match:frontier(at, item)
  local before = at > 1 and byte(self.text, at - 1) or 0
  return not is_in(item, before) and is_in(item, byte(self.text, at) or 0)
end

-- Match as many characters as possible, then fewer.
function Match:most(at, index, item, least)
  local text = self.text
  local _, last = find(text, item.run, at)
  if not self.items[index + 1] then
    if last - at + 1 >= least then return last + 1 end
    return nil
  end
  kit.charge(last - at)
  for from = last + 1, at + least, -1 do
    local stop = self:run(from, index + 1)
    if stop then return stop end
  end
end

-- Match as few characters as possible, then more.
function Match:fewest(at, index, item)
  local text = self.text
  while true do
    local stop = self:run(at, index + 1)
    if stop then return stop end
    local code = byte(text, at)
    if not code or not is_in(item, code) then return nil end
    at = at + 1
  end
end

-- Return the index behind a match of the items from `index` on, or nil.
function Match:run(at, index)
  local items, text = self.items, self.text
  while true do
    local item = items[index]
    if not item then return at end
    local kind, suffix = item.kind, item.suffix
    if kind == 'class' then
      if suffix == '*' then return self:most(at, index, item, 0) end
      if suffix == '+' then return self:most(at, index, item, 1) end
      if suffix == '-' then return self:fewest(at, index, item) end
      local code = byte(text, at)
      local is_found = code and is_in(item, code)
      if suffix == '?' then
        local stop = is_found and self:run(at + 1, index + 1)
        if stop then return stop end
      elseif is_found then
        at = at + 1
      else
        return nil
      end
    elseif kind == 'open' then
      return self:open(at, index, UNFINISHED)
    elseif kind == 'position' then
      return self:open(at, index, POSITION)
    elseif kind == 'close' then
      return self:close(at, index)
    elseif kind == 'back' then
      at = self:back(at, item.index)
    elseif kind == 'balance' then
      at = self:balance(at, item.pair)
    elseif kind == 'end' then
      if at <= self.size then return nil end
    elseif kind == 'frontier' then
      if not self:frontier(at, item) then return nil end
    else
      fail(item.text)
    end
    if not at then return nil end
    index = index + 1
  end
end

-- Find the first match at `at` or behind it. Return where it begins and ends, or nil.
function Match:search(at)
  local first = self.items[1]
  local jumps = first and first.kind == 'class' and (not first.suffix or first.suffix == '+')
  while at <= self.size + 1 do
    if jumps and not self.items.is_anchored then
      at = find(self.text, first.any, at)
      if not at then return nil end
    end
    self.level = 0
    local stop = self:run(at, 1)
    if stop then return at, stop - 1 end
    if self.items.is_anchored then return nil end
    at = at + 1
  end
end

-- Return the captures of a match, or all of it if there are none.
function Match:captures(first, last)
  local found, count = {}, self.level
  if first and count == 0 then count = 1 end
  for index = 1, count do found[index] = self:capture(index, first or 1, last or 0) end
  return found, count
end

function library.match_of(text, parsed)
  return setmetatable({text = text, size = #text, items = parsed, level = 0, starts = {}, sizes = {}},
    Match)
end

-- Replacing ----------------------------------------------------------------------------------------

-- Return a replacement text, with the captures that it names.
local function expanded(match, replacement, first, last)
  local parts, at = {}, 1
  while true do
    local stop = find(replacement, '%', at, true)
    parts[#parts + 1] = sub(replacement, at, (stop or 0) - 1)
    if not stop then return concat(parts) end
    local letter = sub(replacement, stop + 1, stop + 1)
    if letter == '0' then
      letter = sub(match.text, first, last)
    elseif find(letter, '^%d') then
      letter = match:capture(tonumber(letter), first, last)
    end
    parts[#parts + 1] = tostring(letter)
    at = stop + 2
  end
end

local function replaced(match, replacement, kind, first, last)
  local value
  if kind == 'function' then
    local found, count = match:captures(first, last)
    value = replacement(unpack(found, 1, count))
  elseif kind == 'table' then
    value = replacement[match:capture(1, first, last)]
  else
    return expanded(match, replacement, first, last)
  end
  if not value then return sub(match.text, first, last) end
  if type(value) ~= 'string' and type(value) ~= 'number' then
    fail('invalid replacement value (a ' .. type(value) .. ')')
  end
  return value
end

-- Return a text with at most `limit` matches replaced, and their number.
function library.replace(text, parsed, replacement, limit)
  local kind, match = type(replacement), library.match_of(text, parsed)
  if kind == 'number' then replacement = tostring(replacement) end
  local parts, count, at, size = {}, 0, 1, #text
  while count < limit do
    local first, last = match:search(at)
    if not first then break end
    count = count + 1
    parts[#parts + 1] = sub(text, at, first - 1)
    parts[#parts + 1] = replaced(match, replacement, kind, first, last)
    at = last + 1
    if last < first then
      parts[#parts + 1] = sub(text, at, at)
      at = at + 1
    end
    if at > size + 1 or parsed.is_anchored then break end
  end
  parts[#parts + 1] = sub(text, at, size)
  return concat(parts), count
end

return library
