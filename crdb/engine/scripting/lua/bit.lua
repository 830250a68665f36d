-- The library `bit`: operations on integers of 32 bits.
local kit = ...
local select, tonumber = select, tonumber
local host, bad_argument, type_name = kit.host, kit.bad_argument, kit.type_name
local library = {}

local function wrap(name, counted)
  local native = host['bit_' .. name]
  local function number(count, index, value)
    local found = tonumber(value)
    if not found then
      bad_argument(index, name, 'number expected, got ' .. type_name(value, count, index))
    end
    return found
  end

  library[name] = function(...)
    local count = select('#', ...)
    local a, b = ...
    a = number(count, 1, a)
    if counted == 1 or (counted == 3 and count == 1) then
      return native(a)
    end
    local result = native(a, number(count, 2, b))
    for index = 3, counted == 3 and count or 2 do
      result = native(result, number(count, index, (select(index, ...))))
    end
    return result
  end
end

for _, name in next, {'tobit', 'bnot', 'bswap'} do wrap(name, 1) end
for _, name in next, {'lshift', 'rshift', 'arshift', 'rol', 'ror'} do wrap(name, 2) end
for _, name in next, {'band', 'bor', 'bxor', 'tohex'} do wrap(name, 3) end
return library
