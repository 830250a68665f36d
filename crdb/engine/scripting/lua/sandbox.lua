-- The environment of scripts. This chunk runs once for each Lua state, before any script.
--
-- It gets the functions of the host, and returns the functions that the host calls. Scripts see
-- read-only views of tables: an empty table, whose metatable reads from the real one and refuses to
-- write. The real globals of the state are empty, so nothing is found there, whatever a script does.
local host, chunks = ...

local python = python
local as_function, debug = python.as_function, debug
local assert, error, next, pairs, pcall, select = assert, error, next, pairs, pcall, select
local rawequal, rawget, rawset, type, xpcall = rawequal, rawget, rawset, type, xpcall
local setfenv, loadstring = setfenv, loadstring
local getmetatable, setmetatable, tostring, tonumber = getmetatable, setmetatable, tostring, tonumber
local collectgarbage, gcinfo, unpack = collectgarbage, gcinfo, unpack
local gethook, getinfo, sethook = debug.gethook, debug.getinfo, debug.sethook
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, floor, max, min = table.concat, math.floor, math.max, math.min
local coroutine, math, string, table = coroutine, math, string, table
local clock = as_function(host.clock)
local real_globals = _G

local null = newproxy()            -- cjson.null, the only userdata that a script can hold
local MODIFIED = 'Attempt to modify a readonly table'
local OWN_SOURCE = '=crdb'
local pending                      -- the error for which the host has raised an exception
local killed = false               -- true when the script must end, whatever it catches
local running                      -- the function that the host has called
local tick = host.tick
local MEMORY_KB, NO_MEMORY = host.memory_kb, 'not enough memory'
local end_text                     -- the error with which it ends

local contents = setmetatable({}, {__mode = 'k'})   -- read-only view -> the table behind it

-- Errors -------------------------------------------------------------------------------------

-- Return the source and the line of the innermost frame of a script, or nil. A tail call removes
-- the frame of its caller: then it is the last line of the script. `within` is true for an error
-- that has no place if a C function, such as pcall, has called what raises it.
local function locate(within)
  local level = 2
  local info = getinfo(level, 'Sl')
  while info and (info.source == OWN_SOURCE or (info.what == 'C' and not within)) do
    level = level + 1
    info = getinfo(level, 'Sl')
  end
  if info and info.what == 'C' then
    return nil
  elseif info and info.what ~= 'tail' then
    return info.source, info.currentline
  elseif not running then
    return nil
  end
  info = getinfo(running, 'SL')
  local last = info.linedefined
  for line in next, info.activelines do
    if line > last then last = line end
  end
  return info.source, last
end

-- Raise an error as a C function does, with the place of its caller.
local function fail(text)
  local source, line = locate(true)
  if source then
    text = sub(source, 2) .. ':' .. line .. ': ' .. text
  end
  error(text, 0)
end

local function bad_argument(index, name, text)
  fail("bad argument #" .. index .. " to '" .. name .. "' (" .. text .. ')')
end

local function type_name(value, count, index)
  if count < index then return 'no value' end
  return type(value)
end

-- Return an error as a script may see it: the one of the host instead of the exception that it has
-- raised, and a text without a place in this file.
local function translate(value)
  local kind = type(value)
  if kind == 'userdata' and not rawequal(value, null) then
    return pending
  elseif kind == 'string' and sub(value, 1, 5) == 'crdb:' then
    return (gsub(value, '^crdb:%d+: ', ''))
  end
  return value
end

-- Return whether so much memory is in use that nothing may be passed to the host. Lua would let the
-- garbage grow to the size of what is in use, so it is collected here from a quarter of the limit on.
local collect_at = MEMORY_KB / 4

local function is_full()
  if gcinfo() <= collect_at then return false end
  collectgarbage()
  collect_at = max(MEMORY_KB / 4, min(1.25 * gcinfo(), MEMORY_KB))
  return gcinfo() > MEMORY_KB
end

-- Return a function of the host that is not called without memory for its results.
local function guarded(native)
  return function(...)
    if is_full() then fail(NO_MEMORY) end
    return native(...)
  end
end

-- Return the table of an error, from a text that may begin with `-CODE `.
local function make_error(text, is_counted)
  text = sub(text, 1, (find(text, '%z') or 0) - 1)
  local code = 'ERR'
  if byte(text) == 45 then
    local space = find(text, ' ', 1, true)
    if space then
      code, text = sub(text, 2, space - 1), sub(text, space + 1)
    else
      text = sub(text, 2)
    end
  end
  text = sub(text, find(text, '[^\r\n]') or #text + 1)
  text = sub(text, 1, find(text, '[\r\n]*$') - 1)
  local made = {err = code .. ' ' .. text}
  if is_counted then
    made.ignore_error_stats_update = true
  end
  return made
end

local function raise(text)
  error(make_error(text), 0)
end

-- The message handler of a script: add the place where the error was raised.
local function handle(value)
  local source, line = locate()
  local text = translate(value)
  if type(value) == 'string' and text ~= value and source then
    text = sub(source, 2) .. ':' .. line .. ': ' .. text
  end
  value = text
  if type(value) ~= 'table' then
    value = {err = 'ERR ' .. tostring(value)}
  end
  if contents[value] then
    value = {}
  end
  if source then
    rawset(value, 'source', source)
    rawset(value, 'line', line)
  end
  return value
end

-- Read-only tables -----------------------------------------------------------------------------

local function refuse_write()
  local source, line = locate()
  if source then
    error(sub(source, 2) .. ':' .. line .. ': ' .. MODIFIED, 0)
  end
  error(MODIFIED, 0)
end

local function refuse_read(_, name)
  if type(name) ~= 'string' and type(name) ~= 'number' then
    fail('Second argument to luaProtectedTableError must be a string or number')
  end
  fail("Script attempted to access nonexistent global variable '" .. name .. "'")
end

local function view_of(held)
  local view, meta = {}, {__index = held, __newindex = refuse_write}
  local meta_view = {}
  setmetatable(meta_view, {__index = meta, __newindex = refuse_write, __metatable = meta_view})
  contents[meta_view] = meta
  meta.__metatable = meta_view
  contents[view] = held
  return setmetatable(view, meta)
end

-- The price of calls ---------------------------------------------------------------------------

-- A call of C is one instruction, however long it takes. So what may take long is charged by its
-- bytes, and the host is asked after each CHARGED_BYTES, which take about a millisecond.
local CHARGED_BYTES = host.charged_bytes
local spent = 0
local look

local function charge(bytes)
  spent = spent + bytes
  if spent >= CHARGED_BYTES then
    spent = 0
    look()
  end
end

-- The library of Lua, with what must not reach the state ------------------------------------------

local safe = {}

local function after_pcall(ok, value, ...)
  if ok then
    return ok, value, ...
  end
  value = translate(value)
  if type(value) == 'table' then
    local text = rawget(value, 'err')
    if type(text) == 'string' or type(text) == 'number' then
      value = text
    end
  end
  return false, value
end

function safe.pcall(...)
  return after_pcall(pcall(...))
end

-- The handler of a script would run inside the hook that ends the script, where no hook runs.
function safe.xpcall(call, handler)
  return xpcall(call, function(value)
    if killed then return value end
    return handler(translate(value))
  end)
end

function safe.getmetatable(value)
  return getmetatable(value)
end

function safe.setmetatable(held, meta)
  if contents[held] then error(MODIFIED, 0) end
  return setmetatable(held, meta)
end

function safe.rawset(held, key, value)
  if contents[held] then error(MODIFIED, 0) end
  return rawset(held, key, value)
end

function safe.rawget(held, key)
  return rawget(contents[held] or held, key)
end

function safe.next(held, key)
  return next(contents[held] or held, key)
end

function safe.pairs(held)
  if contents[held] then
    return safe.next, held, nil
  end
  return pairs(held)
end

local globals_view

function safe.loadstring(text, name)
  if type(text) == 'number' then text = tostring(text) end
  if type(text) ~= 'string' then
    bad_argument(1, 'loadstring', 'string expected, got ' .. type_name(text, text == nil and 0 or 1, 1))
  end
  if byte(text) == 27 then
    return nil, 'binary chunks are not accepted'
  end
  local loaded, message = loadstring(text, name or text)
  if not loaded then
    return nil, message
  end
  return setfenv(loaded, globals_view)
end

function safe.load(reader, name)
  local parts, count = {}, 0
  while true do
    local ok, part = pcall(reader)
    if not ok then
      return nil, translate(part)
    elseif part == nil or part == '' then
      break
    elseif type(part) ~= 'string' then
      return nil, 'reader function must return a string'
    end
    count = count + 1
    parts[count] = part
  end
  return safe.loadstring(concat(parts), name or '=(load)')
end

local numbers, count_of_numbers = setmetatable({}, {__mode = 'k'}), 0

-- Numbers replace addresses, which would tell where the process keeps its data.
function safe.tostring(...)
  local value = ...
  if select('#', ...) == 0 then
    bad_argument(1, 'tostring', 'value expected')
  end
  local kind = type(value)
  local text = tostring(value)
  if kind == 'string' or kind == 'number' or kind == 'boolean' or kind == 'nil' then
    return text
  elseif rawequal(value, null) then
    return 'userdata: (nil)'
  elseif not find(text, '^' .. kind .. ': 0x%x+$') then
    return text
  end
  if not numbers[value] then
    count_of_numbers = count_of_numbers + 1
    numbers[value] = count_of_numbers
  end
  return format('%s: 0x%08x', kind, numbers[value])
end

function safe.collectgarbage(option, argument)
  if option == nil or option == 'collect' or option == 'step' or option == 'count' then
    if option ~= 'count' then charge(gcinfo() * 1024) end
    return collectgarbage(option or 'collect', argument)
  elseif option == 'stop' or option == 'restart' or option == 'setpause' or option == 'setstepmul' then
    return 0
  end
  return collectgarbage(option)
end

local set_hook

local function after_resume(ok, value, ...)
  if ok then
    return ok, value, ...
  end
  return false, translate(value)
end

local function create(body)
  local made = coroutine.create(body)
  set_hook(made)
  return made
end

local coroutines = {
  create = create, running = coroutine.running, status = coroutine.status, yield = coroutine.yield,
}

function coroutines.resume(...)
  return after_resume(coroutine.resume(...))
end

local function after_wrapped(ok, value, ...)
  if ok then
    return value, ...
  end
  error(translate(value), 0)
end

function coroutines.wrap(body)
  local made = create(body)
  return function(...)
    return after_wrapped(coroutine.resume(made, ...))
  end
end

local maths = {}
for name, value in pairs(math) do maths[name] = value end

local strings, tables = chunks.texts({
  charge = charge, contents = contents, fail = fail, MODIFIED = MODIFIED, OWN_SOURCE = OWN_SOURCE,
})

-- math.random: the generator of drand48, so the numbers are those of Redis.
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

local function check_integer(value, index, name)
  local number = tonumber(value)
  if not number then
    bad_argument(index, name, 'number expected, got ' .. type_name(value, value == nil and 0 or index, index))
  end
  return number < 0 and -floor(-number) or floor(number)
end

function maths.random(...)
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

function maths.randomseed(seed)
  high, low = check_integer(seed, 1, 'randomseed') % 0x100000000, 0x330E
end

-- The API of Redis -----------------------------------------------------------------------------

local call, call_protected = as_function(host.call), as_function(host.call_protected)
for name, value in next, host do
  if type(value) == 'userdata' and name ~= 'tick' then host[name] = guarded(value) end
end

local function copy_of(held)
  local made = {}
  for name, value in next, held do made[name] = value end
  return made
end

local log = {
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REDIS_VERSION = host.version, REDIS_VERSION_NUM = host.version_number,
}

function log.log(...)
  local count = select('#', ...)
  if count < 2 then raise('redis.log() requires two arguments or more.') end
  local level = tonumber((...))
  if not level then raise('First argument must be a number (log level).') end
  if level < 0 or level > 3 then raise('Invalid debug level.') end
  local parts = {}
  for index = 2, count do
    local part = select(index, ...)
    if type(part) == 'string' or type(part) == 'number' then
      parts[#parts + 1] = part
    end
  end
  host.log(level, concat(parts, ' '))
end

local api = copy_of(log)
api.call, api.pcall = call, call_protected
api.REPL_NONE, api.REPL_AOF, api.REPL_SLAVE, api.REPL_REPLICA, api.REPL_ALL = 0, 1, 2, 2, 3

function api.sha1hex(...)
  if select('#', ...) ~= 1 then raise('wrong number of arguments') end
  local text = ...
  if type(text) == 'number' then text = tostring(text) end
  if type(text) == 'string' then charge(#text) end
  return host.sha1hex(type(text) == 'string' and text or '')
end

function api.error_reply(...)
  local text = ...
  if select('#', ...) ~= 1 or type(text) ~= 'string' then
    return make_error('wrong number or type of arguments')
  end
  if byte(text) ~= 45 then text = '-' .. text end
  return make_error(text)
end

function api.status_reply(...)
  local text = ...
  if select('#', ...) ~= 1 or type(text) ~= 'string' then
    return make_error('wrong number or type of arguments')
  end
  return {ok = text}
end

function api.setresp(...)
  if select('#', ...) ~= 1 then raise('redis.setresp() requires one argument.') end
  local version = tonumber((...)) or 0
  version = floor(version)
  if version ~= 2 and version ~= 3 then raise('RESP version must be 2 or 3.') end
  host.set_protocol(version)
end

-- Effects are always replicated (rule LUA-1).
function api.set_repl(...)
  if select('#', ...) ~= 1 then raise('redis.set_repl() requires one argument.') end
  if tonumber((...)) ~= api.REPL_ALL then
    raise('redis.set_repl() is not supported by crdb: effects are always replicated')
  end
end

function api.acl_check_cmd(...)
  local allowed, text = host.check_command(...)
  if text then raise(text) end
  return allowed
end

local eval_api = copy_of(api)
function eval_api.breakpoint() return false end
function eval_api.debug() end
function eval_api.replicate_commands() return true end

-- Globals --------------------------------------------------------------------------------------

local kit = {
  null = null, fail = fail, bad_argument = bad_argument, type_name = type_name, host = host,
  contents = contents, check_integer = check_integer, make_error = make_error, resets = {},
  charge = charge,
}
local replies, registration = chunks.replies(kit), chunks.registration(kit)
local globals = {
  _VERSION = _VERSION, assert = assert, error = error, gcinfo = gcinfo, ipairs = ipairs,
  rawequal = rawequal, select = select, tonumber = tonumber, type = type, unpack = unpack,
  bit = view_of(chunks.bit(kit)),
  cjson = view_of(chunks.cjson(kit)),
  cmsgpack = view_of(chunks.cmsgpack(kit)),
  coroutine = view_of(coroutines),
  math = view_of(maths),
  os = view_of({clock = clock}),
  string = view_of(strings),
  struct = view_of(chunks.struct(kit)),
  table = view_of(tables),
}
for name, value in next, safe do globals[name] = value end

local function make_globals(redis)
  local made = copy_of(globals)
  made.redis = view_of(redis)
  local view = view_of(made)
  made._G = view
  setmetatable(made, {__index = refuse_read})
  return view, made
end

local eval_view, eval_globals = make_globals(eval_api)
local function_view, function_globals = make_globals(api)
globals_view = eval_view

-- While a library is loaded, its functions do not run, and only this API is there.
local registering = copy_of(log)
local load_globals = {redis = view_of(setmetatable(registering, {__index = refuse_read}))}
setmetatable(load_globals, {__index = refuse_read})

-- The metatable of strings is the same for all scripts.
local string_meta = getmetatable('')
string_meta.__index = strings
local string_meta_view = view_of({__index = globals.string})
string_meta.__metatable = string_meta_view

-- Running --------------------------------------------------------------------------------------

-- An instruction that joins strings takes the longer the more memory is in use. So the host is
-- asked after INSTRUCTIONS instructions while little is in use, and else after a few.
local INSTRUCTIONS, FEW, SOME = host.hook_instructions, 50, 250
local LITTLE_KB = 8192
local HOOKS = INSTRUCTIONS / SOME
local hooks, interval = 0, SOME

local on_line, on_count

-- Called at each instruction once the script must end. Nothing is raised within this file: the host
-- may have called it, and it comes back to the script.
function on_line()
  if running and getinfo(2, 'S').source ~= OWN_SOURCE then raise(end_text) end
end

-- Let the host pause the script, or end it. Nothing is passed to the host while there is hardly any
-- memory. Return the error if the script must end.
function look()
  local text
  if is_full() then text = NO_MEMORY else text = tick() end
  if text and running then
    end_text, killed = text, true
    sethook(on_line, 'l', 1)       -- from now on each instruction ends, also after a pcall
    return text
  end
end

-- Called every `interval` instructions, in the coroutine that runs.
function on_count()
  hooks = hooks + 1
  local is_little = gcinfo() < LITTLE_KB
  if is_little and hooks < HOOKS then return end
  hooks = 0
  interval = is_little and SOME or FEW
  local _, _, present = gethook()
  if present ~= interval then sethook(on_count, '', interval) end
  local text = look()
  if text and getinfo(2, 'S').source ~= OWN_SOURCE then raise(text) end
end

function set_hook(thread)
  if killed then
    sethook(thread, on_line, 'l', 1)
  else
    sethook(thread, on_count, '', interval)
  end
end

sethook(on_count, '', interval)

-- A step of the collector frees 100 KB. With the usual 2 KB, a script that makes long strings is
-- faster than the collector, and has no memory left in the end.
collectgarbage('setstepmul', 10000)

local function reset_hook()
  killed = false
  sethook(on_count, '', interval)
end

local encode, protocols = replies.encode, host.protocols

-- Return the reply of a script: a string, a number, a boolean or nil as it is, or nil and an encoded
-- reply. An error returns false, its text, and whether it has been counted.
local function finish(ok, value)
  running = nil
  if killed then
    reset_hook()
    if ok then ok, value = false, make_error(end_text) end
  end
  if not ok then
    if type(value) == 'table' then
      local text = rawget(value, 'err')
      if type(text) ~= 'string' then text = '(null)' end
      return false, text, rawget(value, 'ignore_error_stats_update') == true,
        rawget(value, 'source'), rawget(value, 'line')
    end
    return false, tostring(value)
  end
  local kind = type(value)
  if kind ~= 'table' and kind ~= 'function' and kind ~= 'userdata' and kind ~= 'thread' then
    return value
  elseif kind == 'table' and type(rawget(value, 'err')) == 'string' then
    return false, value.err, rawget(value, 'ignore_error_stats_update') == true
  end
  return nil, encode(value, protocols())
end

local function split(count, ...)
  local total = select('#', ...)
  if count == 0 then
    return {}, {...}
  elseif count == total then
    return {...}, {}
  elseif count == 1 then
    local key = ...
    return {key}, {select(2, ...)}
  end
  local keys, all = {}, {...}
  for index = 1, count do keys[index] = all[index] end
  return keys, {select(count + 1, ...)}
end

-- Return the arguments of a long request, which are in one text: their sizes, then themselves.
local function split_packed(count, sizes, text)
  local keys, args, index, at = {}, {}, 0, 1
  for size in string.gmatch(sizes, '%d+') do
    size = tonumber(size)
    index = index + 1
    local part = sub(text, at, at + size - 1)
    at = at + size
    if index <= count then keys[index] = part else args[index - count] = part end
  end
  return keys, args
end

local function run_script(chunk, keys, args)
  eval_globals.KEYS, eval_globals.ARGV = keys, args
  running, globals_view = chunk, eval_view
  return finish(xpcall(chunk, handle))
end

local function run_function(body, keys, args)
  running, globals_view = body, function_view
  return finish(xpcall(function() return body(keys, args) end, handle))
end

local exports = {make_error = make_error, parse = replies.parse}

function exports.eval(chunk, count, ...)
  return run_script(chunk, split(count, ...))
end

function exports.eval_packed(chunk, count, sizes, text)
  return run_script(chunk, split_packed(count, sizes, text))
end

function exports.fcall(body, count, ...)
  return run_function(body, split(count, ...))
end

function exports.fcall_packed(body, count, sizes, text)
  return run_function(body, split_packed(count, sizes, text))
end

local function compile(text, name, env)
  if byte(text) == 27 then
    return nil, sub(name, 2) .. ':1: binary chunks are not accepted'
  end
  local chunk, message = loadstring(text, name)
  if not chunk then
    return nil, message
  end
  return setfenv(chunk, env)
end

function exports.compile(text)
  return compile(text, '@user_script', eval_view)
end

-- Run the code of a library. `register` gets the functions that it registers.
function exports.load(text, register)
  local chunk, message = compile(text, '@user_function', function_view)
  if not chunk then
    return 'Error compiling function: ' .. message
  end
  registering.register_function = registration(register)
  local meta = contents[getmetatable(function_view)]
  meta.__index = load_globals
  running = chunk
  local ok, value = pcall(chunk)
  running = nil
  meta.__index = function_globals
  registering.register_function = nil
  if killed then reset_hook() end
  if ok then
    return nil
  end
  value = translate(value)
  if type(value) == 'table' then
    value = tostring(rawget(value, 'err'))
  else
    value = 'ERR ' .. tostring(value)
  end
  return 'Error registering functions: ' .. value
end

function exports.set_pending(value)
  pending = value
end

-- End the script at its next instruction.
function exports.end_now(text)
  end_text, killed = text, true
  sethook(on_line, 'l', 1)
end

-- Free what no script needs any more, also what an error has left in the libraries.
function exports.collect()
  for _, reset in next, kit.resets do reset() end
  eval_globals.KEYS, eval_globals.ARGV = {}, {}
  collectgarbage()
end

for name in pairs(copy_of(real_globals)) do real_globals[name] = nil end

return exports
