-- The library `struct`. The host packs and unpacks. It returns a text for an error, or nil and the
-- results.
local kit = ...
local select, unpack = select, unpack
local host, fail = kit.host, kit.fail
local library = {}

for _, name in next, {'pack', 'unpack', 'size'} do
  local native = host['struct_' .. name]
  library[name] = function(...)
    local found = {native(select('#', ...), ...)}
    if found[1] then fail(found[1]) end
    return unpack(found, 3, found[2] + 2)
  end
end
return library
