-- redis.register_function of a library that is loaded. `register` gets the name, the function, the
-- description or nil, and the flags as one text with spaces. It returns an error, or nil.
local make_error = (...).make_error
local concat = table.concat
local error, next, select, tostring, type = error, next, select, tostring, type
local lower = string.lower

local NOT_A_TABLE = 'calling redis.register_function with a single argument is only applicable to '
  .. 'Lua table (representing named arguments).'

local function raise(text)
  error(make_error(text), 0)
end

local function is_text(value)
  return type(value) == 'string' or type(value) == 'number'
end

local function read_flags(held)
  local flags, index = {}, 1
  while held[index] ~= nil do
    if not is_text(held[index]) then raise('unknown flag given') end
    flags[index] = tostring(held[index])
    index = index + 1
  end
  return concat(flags, ' ')
end

local readers = {
  function_name = function(value)
    if not is_text(value) then
      raise('function_name argument given to redis.register_function must be a string')
    end
    return tostring(value)
  end,
  description = function(value)
    if not is_text(value) then
      raise('description argument given to redis.register_function must be a string')
    end
    return tostring(value)
  end,
  callback = function(value)
    if type(value) ~= 'function' then
      raise('callback argument given to redis.register_function must be a function')
    end
    return value
  end,
  flags = function(value)
    if type(value) ~= 'table' then
      raise('flags argument to redis.register_function must be a table representing function flags')
    end
    return read_flags(value)
  end,
}

local function read_named(held)
  if type(held) ~= 'table' then raise(NOT_A_TABLE) end
  local found = {}
  for key, value in next, held do
    if not is_text(key) then
      raise('named argument key given to redis.register_function is not a string')
    end
    local name = lower(tostring(key))
    local reader = readers[name]
    if not reader then raise('unknown argument given to redis.register_function') end
    found[name] = reader(value)
  end
  if not found.function_name then
    raise('redis.register_function must get a function name argument')
  elseif not found.callback then
    raise('redis.register_function must get a callback argument')
  end
  return found
end

return function(register)
  return function(...)
    local count = select('#', ...)
    if count < 1 or count > 2 then
      raise('wrong number of arguments to redis.register_function')
    end
    local found
    if count == 1 then
      found = read_named(...)
    else
      local name, callback = ...
      if not is_text(name) then
        raise('first argument to redis.register_function must be a string')
      elseif type(callback) ~= 'function' then
        raise('second argument to redis.register_function must be a function')
      end
      found = {function_name = tostring(name), callback = callback}
    end
    local fault = register(found.function_name, found.callback, found.description, found.flags or '')
    if fault then raise(fault) end
  end
end
