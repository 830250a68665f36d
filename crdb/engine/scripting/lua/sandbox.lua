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
local load, loadstring, newproxy, setfenv = load, loadstring, newproxy, setfenv
local getmetatable, setmetatable, tostring, tonumber = getmetatable, setmetatable, tostring, tonumber
local collectgarbage, gcinfo, unpack = collectgarbage, gcinfo, unpack
local getinfo, sethook = debug.getinfo, debug.sethook
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, floor, max, min = table.concat, math.floor, math.max, math.min
local coroutine, math, string, table = coroutine, math, string, table
local clock = as_function(host.clock)
local real_globals = _G

local null = newproxy()            -- cjson.null, the only userdata that a script can hold
local MODIFIED = 'Attempt to modify a readonly table'
local OWN_SOURCE = '=crdb'
local LIBRARY_SOURCE = '=crdb_library'   -- parts that only scripts call, so they may be interrupted
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
  while info do
    local source = info.source
    if info.what == 'tail' then      -- a tail call within these files
      local above = getinfo(level + 1, 'S')
      source = above and above.source
    end
    if source ~= OWN_SOURCE and source ~= LIBRARY_SOURCE and (info.what ~= 'C' or within) then break end
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
  elseif kind == 'string' and sub(value, 1, 4) == 'crdb' then
    return (gsub(value, '^crdb[_a-z]*:%d+: ', ''))
  end
  return value
end

-- Return whether so much memory is in use that nothing may be passed to the host. Lua would let the
-- garbage grow to the size of what is in use, so it is collected here from a sixteenth of the limit on.
local COLLECTED_MIN = MEMORY_KB / 16
local collect_at = COLLECTED_MIN

local function is_full()
  if gcinfo() <= collect_at then return false end
  collectgarbage()
  collect_at = max(COLLECTED_MIN, min(1.25 * gcinfo(), MEMORY_KB))
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
  local _, last = find(text, '^.*[^\r\n]')
  text = sub(text, 1, last or 0)
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
local charge                       -- counts the work of a call, and looks at the clock
local PIECE_BYTES = 0x10000        -- a longer text is compiled in pieces

-- Return a function that returns a text piece by piece. It ends early if the script must end.
local function pieces_of(text)
  local at = 1
  return function()
    local part = sub(text, at, at + PIECE_BYTES - 1)
    at = at + PIECE_BYTES
    charge(PIECE_BYTES * 10)
    if part == '' or killed then return nil end
    return part
  end
end

function safe.loadstring(text, name)
  if type(text) == 'number' then text = tostring(text) end
  if type(text) ~= 'string' then
    bad_argument(1, 'loadstring', 'string expected, got ' .. type_name(text, text == nil and 0 or 1, 1))
  end
  if byte(text) == 27 then
    return nil, 'binary chunks are not accepted'
  end
  local loaded, message
  if #text <= PIECE_BYTES then
    loaded, message = loadstring(text, name or text)
  else
    loaded, message = load(pieces_of(text), name or text)
  end
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

local strings, tables, maths = {}, {}, {}

for name, value in pairs(string) do strings[name] = value end
for name, value in pairs(table) do tables[name] = value end
for name, value in pairs(math) do maths[name] = value end

local function check_integer(value, index, name)
  local number = tonumber(value)
  if not number then
    bad_argument(index, name, 'number expected, got ' .. type_name(value, value == nil and 0 or index, index))
  end
  return number < 0 and -floor(-number) or floor(number)
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

-- Time --------------------------------------------------------------------------------------------

local CHARGED_MAX = 1e6            -- the work, in copied bytes, between two looks at the clock
local charged = 0
local on_count

-- Count the work of a call. Hooks count only instructions, and a call is one of them.
function charge(work)
  charged = charged + work
  if charged >= CHARGED_MAX then
    charged = 0
    on_count('call')
  end
end

local kit = {
  charge = function(work) charge(work) end, getinfo = getinfo, modified = MODIFIED,
  translate = translate, memory_bytes = 1024 * MEMORY_KB,
  is_killed = function() return killed end, end_now = function() raise(end_text) end,
  null = null, fail = fail, bad_argument = bad_argument, type_name = type_name, host = host,
  contents = contents, check_integer = check_integer, make_error = make_error, resets = {},
}
kit.patterns = chunks.patterns(kit)
maths.random, maths.randomseed = chunks.random(kit)
for name, parts in next, chunks.texts(kit) do
  for key, value in next, parts do (name == 'strings' and strings or tables)[key] = value end
end
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

local INSTRUCTIONS = host.hook_instructions

local MEMORY_KB_FREE = 2048        -- texts that fit here are handled quickly
local INTERVAL_MIN = 20
local interval = INSTRUCTIONS
local HURRIED_PART = 0.1
local is_hurried = false           -- true if the next look was moved forward
local is_watching = false
local on_line

-- Called at each instruction once the script must end. Nothing is raised within this file: the host
-- may have called it, and it comes back to the script.
function on_line()
  if running and getinfo(2, 'S').source ~= OWN_SOURCE then raise(end_text) end
end

-- Look at the clock after the next instruction.
local function hurry()
  if not killed then
    is_hurried = true
    sethook(on_count, '', 1)
  end
end

-- Look at the clock after each collection of garbage. Few instructions that make large texts, such
-- as `..`, take long, but make much garbage. The collector calls this through an object without use.
local function watch_garbage()
  is_watching = false
  getmetatable(newproxy(true)).__gc = function()
    watch_garbage()
    hurry()
  end
  is_watching = true
end

-- Return the largest interval of the hook. Single instructions on large texts may take long.
local function longest_interval()
  local used = gcinfo()
  if used <= MEMORY_KB_FREE then return INSTRUCTIONS end
  return max(floor(INSTRUCTIONS * MEMORY_KB_FREE / used / 4), INTERVAL_MIN)
end

-- Set the interval from what the last one took.
local function set_interval(is_slow)
  local longest = longest_interval()
  local chosen = min(is_slow and max(floor(interval / 4), INTERVAL_MIN) or 2 * interval, longest)
  if chosen ~= interval or is_hurried then
    interval, is_hurried = chosen, false
    sethook(on_count, '', chosen)
  end
end

-- Called every `interval` instructions, and by calls that are charged: let the host pause the script,
-- or end it. The host learns how much of a full interval this was. Nothing is passed to the host
-- while there is hardly any memory.
function on_count(event)
  local text
  if is_full() then
    text = NO_MEMORY
  else
    local part = event == 'call' and 1 or is_hurried and HURRIED_PART or interval / INSTRUCTIONS
    text = tick(part)
  end
  if not is_watching then watch_garbage() end
  if type(text) ~= 'string' then
    if not killed then set_interval(text) end
  elseif running then
    end_text, killed = text, true
    sethook(on_line, 'l', 1)       -- from now on each instruction ends, also after a pcall
    if getinfo(2, 'S').source ~= OWN_SOURCE then raise(text) end
  end
end

function set_hook(thread)
  if killed then
    sethook(thread, on_line, 'l', 1)
  else
    sethook(thread, on_count, '', interval)
  end
end

collectgarbage('setstepmul', 10000)   -- a large text makes one step: few steps must be a collection
watch_garbage()
sethook(on_count, '', INSTRUCTIONS)

local function reset_hook()
  killed, interval, is_hurried = false, INSTRUCTIONS, false
  sethook(on_count, '', INSTRUCTIONS)
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

local exports = {make_error = make_error, parse = replies.parse, hurry = hurry}

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
