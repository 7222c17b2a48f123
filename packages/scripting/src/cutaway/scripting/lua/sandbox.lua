-- The sandbox: the world that scripts see, built once for each interpreter.
--
-- This chunk is trusted. It runs first, takes what it needs from Lua's own libraries into local variables, empties the
-- global table, and gives back a few functions for the host. A script's globals are another table altogether.
--
-- Read-only tables. Redis patches its Lua so that a table can be locked. Stock Lua cannot do that, so what a script sees
-- of a library is an empty stand-in whose metatable reads from the hidden table and refuses to write. The functions that
-- reach past metatables (rawset, table.insert, next ...) are replaced by ones that know the stand-ins.
--
-- Errors. A function that the host provides cannot raise a Lua value, only an exception of its own, which arrives
-- here as an opaque userdata. Every place that can catch an error (pcall, xpcall, resume, load, the outermost call) passes it
-- through `translate`, which asks the host what was meant: no script ever holds the userdata.
--
-- Frames. What scripts call must be a C function: a tail call (`return redis.call(...)`) would otherwise take the
-- script's own frame off the stack, and with it the line number that error messages show. `as_function` makes
-- C functions of host callables.

local as_function = python.as_function

local assert, error, getmetatable, ipairs, next, pcall, rawequal, rawget, rawset, select, setmetatable, tonumber, tostring, type, unpack,
  xpcall, loadstring, setfenv, newproxy, collectgarbage, gcinfo, pairs =
  assert, error, getmetatable, ipairs, next, pcall, rawequal, rawget, rawset, select, setmetatable, tonumber, tostring, type, unpack,
  xpcall, loadstring, setfenv, newproxy, collectgarbage, gcinfo, pairs
local concat, sub, find = table.concat, string.sub, string.find
local getinfo, sethook = debug.getinfo, debug.sethook
local co_create, co_resume, co_running, co_status, co_yield =
  coroutine.create, coroutine.resume, coroutine.running, coroutine.status, coroutine.yield
local lua_table, lua_string, lua_math, os_clock, version = table, string, math, os.clock, _VERSION

do -- nothing is left in the real global table, which loaded chunks have as their environment until it is replaced
  local names = {}
  for name in pairs(_G) do names[#names + 1] = name end
  local all = _G
  for _, name in ipairs(names) do all[name] = nil end
end

local MODIFIED = "Attempt to modify a readonly table"
local HOOK_EVERY = 100000 -- instructions between two looks at the world outside

-- ---- the host's errors

local take_error -- () -> is_text, text, was_counted
local null = newproxy(true) -- cjson.null
getmetatable(null).__tostring = function() return "userdata: (nil)" end

local function translate(e)
  if type(e) ~= "userdata" or e == null then return e end
  local is_text, text, was_counted = take_error()
  if is_text then return text end
  return { err = text, ignore_error_stats_update = was_counted or nil }
end

-- ---- read-only tables

local hidden = setmetatable({}, { __mode = "k" }) -- stand-in -> the table it stands for

local function refuse() error(MODIFIED, 2) end

local function readonly(real, missing)
  local standin = {}
  if missing then setmetatable(real, { __index = missing }) end
  hidden[standin] = real
  return setmetatable(standin, { __index = real, __newindex = refuse })
end

local function nonexistent(_, name)
  local kind = type(name)
  if kind ~= "string" and kind ~= "number" then error("Second argument to luaProtectedTableError must be a string or number", 2) end
  error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
end

local string_metatable -- a stand-in for the metatable of strings

local function bad(position, name, expected, value, given)
  local got = expected == "value" and "" or ", got " .. (given and type(value) or "no value")
  error("bad argument #" .. position .. " to '" .. name .. "' (" .. expected .. " expected" .. got .. ")", 3)
end

local globals = {}

globals._VERSION = version
globals.assert, globals.error, globals.ipairs, globals.rawequal, globals.select = assert, error, ipairs, rawequal, select
globals.tonumber, globals.tostring, globals.type, globals.unpack = tonumber, tostring, type, unpack
globals.collectgarbage, globals.gcinfo = collectgarbage, gcinfo

local function safe_next(t, k)
  if type(t) ~= "table" then bad(1, "next", "table", t, true) end
  return next(hidden[t] or t, k)
end
globals.next = safe_next

function globals.pairs(...)
  local t = ...
  if type(t) ~= "table" then bad(1, "pairs", "table", t, select("#", ...) > 0) end
  if hidden[t] then return safe_next, t, nil end
  return next, t, nil
end

function globals.rawget(...)
  local t, k = ...
  if type(t) ~= "table" then bad(1, "rawget", "table", t, select("#", ...) > 0) end
  if select("#", ...) < 2 then bad(2, "rawget", "value") end
  return rawget(hidden[t] or t, k)
end

function globals.rawset(...)
  local t, k, v = ...
  if type(t) ~= "table" then bad(1, "rawset", "table", t, select("#", ...) > 0) end
  if select("#", ...) < 3 then error("bad argument #" .. select("#", ...) + 1 .. " to 'rawset' (value expected)", 2) end
  if hidden[t] then error(MODIFIED, 0) end
  return rawset(t, k, v)
end

function globals.setmetatable(...)
  local t, metatable = ...
  if type(t) ~= "table" then bad(1, "setmetatable", "table", t, select("#", ...) > 0) end
  local kind = type(metatable)
  if kind ~= "table" and (kind ~= "nil" or select("#", ...) < 2) then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  if hidden[t] then error(MODIFIED, 0) end
  local own = getmetatable(t)
  if type(own) ~= "table" and own ~= nil then error("cannot change a protected metatable", 2) end
  return setmetatable(t, metatable)
end

local global_metatable -- a stand-in too

function globals.getmetatable(...)
  local value = ...
  if select("#", ...) == 0 then bad(1, "getmetatable", "value") end
  if type(value) == "string" then return string_metatable end
  if hidden[value] then
    if getmetatable(hidden[value]) then return global_metatable end
    return nil
  end
  if type(value) == "userdata" then return nil end
  return getmetatable(value)
end

-- ---- catching errors

local function caught(ok, ...)
  if ok then return true, ... end
  local e = translate((...))
  if type(e) == "table" then
    local text = e.err
    if type(text) == "string" or type(text) == "number" then return false, text end
  end
  return false, e
end

function globals.pcall(...)
  if select("#", ...) == 0 then return caught(pcall(nil)) end
  return caught(pcall(...))
end

-- The handler runs when the stack is unwound: in Lua's own xpcall a handler that loops could not be interrupted, as hooks
-- are off while it deals with an error that came from one.
local function handled(handler, ok, ...)
  if ok then return true, ... end
  local fine, result = pcall(handler, (translate((...))))
  if fine then return false, result end
  return false, "error in error handling"
end

function globals.xpcall(...)
  if select("#", ...) < 2 then bad(2, "xpcall", "value") end
  local f, handler = ...
  return handled(handler, pcall(f))
end

local environment -- the script's globals: the stand-in for `globals`
local library_globals -- what stands behind it while a function library is loaded

local function load_text(text, name)
  if sub(text, 1, 1) == "\27" then
    -- what the text parser of a Lua without bytecode says of the byte that bytecode starts with
    local shown = name or text
    local first = sub(shown, 1, 1)
    if first == "=" or first == "@" then shown = sub(shown, 2) else shown = '[string "' .. (find(shown, "\n") and "..." or shown) .. '"]' end
    return nil, shown .. ":1: unexpected symbol near 'char(27)'"
  end
  local chunk, problem = loadstring(text, name or text)
  if chunk then setfenv(chunk, environment) end
  return chunk, problem
end

function globals.loadstring(...)
  local text, name = ...
  if type(text) == "number" then text = tostring(text) end
  if type(text) ~= "string" then bad(1, "loadstring", "string", text, select("#", ...) > 0) end
  if name ~= nil and type(name) ~= "string" and type(name) ~= "number" then bad(2, "loadstring", "string", name, true) end
  return load_text(text, name and tostring(name))
end

function globals.load(...)
  local reader, name = ...
  if type(reader) ~= "function" then bad(1, "load", "function", reader, select("#", ...) > 0) end
  local pieces = {}
  while true do
    local ok, piece = pcall(reader)
    if not ok then return nil, translate(piece) end
    if piece == nil or piece == "" then break end
    if type(piece) ~= "string" and type(piece) ~= "number" then return nil, "reader function must return a string" end
    pieces[#pieces + 1] = piece
  end
  return load_text(concat(pieces), name and tostring(name) or "=(load)")
end

-- ---- coroutines: each needs the hook, and is a place where errors are caught

local interrupted -- () -> text of the error that ends the script, or nil
local hook

local running = {} -- the coroutines that are running, innermost last

local function create(f)
  local thread = co_create(f)
  if hook then sethook(thread, hook, "", HOOK_EVERY) end
  return thread
end

local function resumed(ok, ...)
  running[#running] = nil
  if ok then return true, ... end
  return false, translate((...))
end

local function resume(thread, ...)
  running[#running + 1] = thread
  return resumed(co_resume(thread, ...))
end

local function wrapped(ok, ...)
  if ok then return ... end
  error((...), 0)
end

local safe_coroutine = { running = co_running, status = co_status, yield = co_yield }

function safe_coroutine.create(...)
  local f = ...
  if type(f) ~= "function" then error("bad argument #1 to 'create' (Lua function expected)", 2) end
  return create(f)
end

function safe_coroutine.resume(...)
  if type((...)) ~= "thread" then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
  return resume(...)
end

function safe_coroutine.wrap(...)
  local f = ...
  if type(f) ~= "function" then error("bad argument #1 to 'wrap' (Lua function expected)", 2) end
  local thread = create(f)
  return function(...) return wrapped(resume(thread, ...)) end
end

-- ---- the libraries

local function copy(t)
  local twin = {}
  for k, v in pairs(t) do twin[k] = v end
  return twin
end

local safe_table, safe_string, safe_math = copy(lua_table), copy(lua_string), copy(lua_math)

local function checked_table(name, given, t, is_harmless)
  if type(t) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. (given > 0 and type(t) or "no value") .. ")", 3)
  end
  if hidden[t] and not is_harmless then error(MODIFIED, 0) end -- the length of a stand-in is 0
end

local function checked_number(name, position, value)
  if type(value) ~= "number" and not tonumber(value) then
    error("bad argument #" .. position .. " to '" .. name .. "' (number expected, got " .. type(value) .. ")", 3)
  end
end

local insert, remove, sort = lua_table.insert, lua_table.remove, lua_table.sort

function safe_table.insert(...)
  local given = select("#", ...)
  local t, position, value = ...
  checked_table("insert", given, t)
  if given == 2 then
    insert(t, position)
  elseif given == 3 then
    checked_number("insert", 2, position)
    insert(t, position, value)
  else
    error("wrong number of arguments to 'insert'", 2)
  end
end

function safe_table.remove(...)
  local given = select("#", ...)
  local t, position = ...
  checked_table("remove", given, t, true)
  if position == nil then return remove(t) end
  checked_number("remove", 2, position)
  return remove(t, position)
end

function safe_table.sort(...)
  local given = select("#", ...)
  local t, before = ...
  checked_table("sort", given, t, true)
  if before ~= nil and type(before) ~= "function" then bad(2, "sort", "function", before, true) end
  local ok, e = pcall(sort, t, before)
  if not ok then error(e, e == "invalid order function for sorting" and 2 or 0) end
end

-- ---- running

local function script_frame()
  local level = 3
  local frame = getinfo(level, "Sl")
  while frame and (frame.what == "C" or frame.what == "tail" or frame.source == "@sandbox") do
    level = level + 1
    frame = getinfo(level, "Sl")
  end
  return frame
end

local function handler(e)
  e = translate(e)
  if type(e) ~= "table" then e = { err = "ERR " .. tostring(e) } end
  local frame = script_frame()
  if frame then e.source, e.line = frame.source, frame.currentline end
  return e
end

-- Values leave as a flat list of pairs, kind and value: lists by their length, which comes first. Python reads it back.
local NIL, TEXT, NUMBER, BOOLEAN, ERROR, STATUS, DOUBLE, BIG_NUMBER, VERBATIM, MAP, SET, ARRAY, TOO_DEEP = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local KINDS = { string = TEXT, number = NUMBER, boolean = BOOLEAN }
local DEEPEST = 150

local function flatten(out, n, value, depth)
  if depth > DEEPEST then
    out[n + 1], out[n + 2] = TOO_DEEP, 0
    return n + 2
  end
  local kind = type(value)
  if kind ~= "table" then
    local code = KINDS[kind]
    if code then out[n + 1], out[n + 2] = code, value else out[n + 1], out[n + 2] = NIL, 0 end
    return n + 2
  end
  value = hidden[value] or value
  local text = rawget(value, "err")
  if type(text) == "string" then
    out[n + 1], out[n + 2], out[n + 3], out[n + 4] = ERROR, text, NIL, rawget(value, "ignore_error_stats_update") == true
    return n + 4
  end
  text = rawget(value, "ok")
  if type(text) == "string" then
    out[n + 1], out[n + 2] = STATUS, text
    return n + 2
  end
  local number = rawget(value, "double")
  if type(number) == "number" then
    out[n + 1], out[n + 2] = DOUBLE, number
    return n + 2
  end
  text = rawget(value, "big_number")
  if type(text) == "string" then
    out[n + 1], out[n + 2] = BIG_NUMBER, text
    return n + 2
  end
  local inner = rawget(value, "verbatim_string")
  if type(inner) == "table" then
    local format, string = rawget(inner, "format"), rawget(inner, "string")
    if type(format) == "string" and type(string) == "string" then
      out[n + 1], out[n + 2], out[n + 3], out[n + 4] = VERBATIM, format, TEXT, string
      return n + 4
    end
  end
  inner = rawget(value, "map")
  if type(inner) == "table" then
    local at, count = n + 2, 0
    out[n + 1] = MAP
    n = at
    for k, v in next, inner do
      n = flatten(out, n, k, depth + 1)
      n = flatten(out, n, v, depth + 1)
      count = count + 1
    end
    out[at] = count
    return n
  end
  inner = rawget(value, "set")
  if type(inner) == "table" then
    local at, count = n + 2, 0
    out[n + 1] = SET
    n = at
    for k in next, inner do
      n = flatten(out, n, k, depth + 1)
      count = count + 1
    end
    out[at] = count
    return n
  end
  local at, count = n + 2, 0
  out[n + 1] = ARRAY
  n = at
  while true do
    local element = rawget(value, count + 1)
    if element == nil then break end
    n = flatten(out, n, element, depth + 1)
    count = count + 1
  end
  out[at] = count
  return n
end

local FITS_THE_STACK = 2000

local function outcome(ok, result)
  if hook then
    sethook()
    hook = nil
  end
  if not ok then
    if type(result) ~= "table" then return false, tostring(result) end
    local text = result.err
    if type(text) == "number" then text = tostring(text) end
    if type(text) ~= "string" then text = nil end
    return false, text, result.source, result.line, result.ignore_error_stats_update == true
  end
  local code = KINDS[type(result)]
  if code then return true, code, result end
  local out = {}
  local n = flatten(out, 0, result, 1)
  if n <= FITS_THE_STACK then return true, unpack(out, 1, n) end
  return true, out
end

local for_host = {} -- the functions that the host calls in the middle of a script: what they raise would reach it, not the script

local function watch(event)
  local frame = getinfo(2, "Sf")
  -- the sandbox's own lines have to run to their end: what a script caught passes through them
  if event == "line" and frame.source == "@sandbox" then return end
  local text = interrupted()
  if text then
    -- from now on at every line, so that no pcall can go on for long with what it caught
    for i = 1, #running do sethook(running[i], watch, "l") end
    sethook(watch, "l")
    if not for_host[frame.func] then error({ err = text }, 0) end
  end
end

local function arm(watched)
  if not watched then return end
  hook = watch
  sethook(watch, "", HOOK_EVERY)
end

local function split(count, ...)
  if count == 0 then return {}, { ... } end
  local keys, rest, all = {}, {}, { ... }
  for i = 1, count do keys[i] = all[i] end
  for i = count + 1, select("#", ...) do rest[i - count] = all[i] end
  return keys, rest
end

local functions = {}

-- EVAL: the keys and the arguments are globals.
function functions.run(body, watched, count, ...)
  globals.KEYS, globals.ARGV = split(count, ...)
  running = {}
  arm(watched)
  return outcome(xpcall(body, handler))
end

-- FCALL: they are the function's arguments.
function functions.run_function(body, watched, count, ...)
  local keys, rest = split(count, ...)
  running = {}
  arm(watched)
  return outcome(xpcall(function() return (body(keys, rest)) end, handler))
end

-- As `run`, with the arguments in tables: for more of them than the stack holds.
function functions.run_with_tables(body, watched, is_function, keys, rest)
  running = {}
  arm(watched)
  if is_function then return outcome(xpcall(function() return (body(keys, rest)) end, handler)) end
  globals.KEYS, globals.ARGV = keys, rest
  return outcome(xpcall(body, handler))
end

function functions.compile(text, name)
  local chunk, problem = load_text(text, name)
  return chunk or false, problem
end

-- FUNCTION LOAD: run a library's text, which registers functions. Meanwhile its globals are `library_globals` alone.
function functions.load_library(text)
  local chunk, problem = load_text(text, "@user_function")
  if not chunk then return true, problem end
  local scope = getmetatable(environment)
  scope.__index, hidden[environment] = library_globals, library_globals
  running = {}
  arm(true)
  local ok, e = pcall(chunk)
  if hook then
    sethook()
    hook = nil
  end
  scope.__index, hidden[environment] = globals, globals
  if ok then return false end
  e = translate(e)
  if type(e) == "table" then return false, type(e.err) == "string" and e.err or "ERR unknown error" end
  return false, "ERR " .. tostring(e)
end

function functions.pack(...) return { ... } end

function functions.extend(t, n, ...)
  for i = 1, select("#", ...) do t[n + i] = (select(i, ...)) end
end

function functions.single(key, value) return { [key] = value } end

-- Put keys and their values, one after the other, into `t`, or into a new table.
function functions.put(t, ...)
  t = t or {}
  local all = { ... }
  for i = 1, select("#", ...), 2 do
    if all[i] ~= nil then t[all[i]] = all[i + 1] end
  end
  return t
end

-- A table of functions of the host's and other values.
function functions.module(...)
  local t, all = {}, { ... }
  for i = 1, #all, 2 do
    local value = all[i + 1]
    t[all[i]] = type(value) == "userdata" and value ~= null and as_function(value) or value
  end
  return t
end

-- By which name the host's function was called that runs just now, for errors about its arguments.
function functions.called_name()
  local thread = running[#running]
  local frame
  if thread then frame = getinfo(thread, 0, "n") else frame = getinfo(2, "n") end
  return frame and frame.name or "?"
end

-- Who called the host's function that runs just now, for errors that begin with the place they come from.
function functions.where()
  local thread = running[#running]
  local frame
  if thread then frame = getinfo(thread, 1, "Sl") else frame = getinfo(3, "Sl") end
  if frame and frame.currentline > 0 then return frame.short_src, frame.currentline end
end

function functions.set_host(take, interrupt)
  take_error, interrupted = take, interrupt
end

function functions.define(library, name, callable)
  local t = globals[library]
  if not t then
    t = {}
    globals[library] = t
  end
  t[name] = as_function(callable)
end

function functions.define_value(library, name, value)
  local t = globals[library]
  if not t then
    t = {}
    globals[library] = t
  end
  t[name] = value
end

globals.string, globals.math, globals.table, globals.coroutine = safe_string, safe_math, safe_table, safe_coroutine
globals.os = { clock = os_clock }

-- Lock everything; from here on scripts may run.
function functions.seal()
  globals.server = globals.redis
  local library = globals.library
  globals.library = nil
  if library then
    local api = readonly(library, nonexistent)
    library_globals = setmetatable({ redis = api, server = api }, { __index = nonexistent })
  end
  local names = {}
  for name, value in pairs(globals) do
    if type(value) == "table" then names[#names + 1] = name end
  end
  local standins = {}
  for _, name in ipairs(names) do
    local real = globals[name]
    standins[real] = standins[real] or readonly(real)
    globals[name] = standins[real]
  end
  environment = readonly(globals, nonexistent)
  globals._G = environment
  global_metatable = readonly({ __index = nonexistent })
  string_metatable = readonly({ __index = globals.string })
end

for _, name in ipairs({ "pack", "extend", "single", "put", "module", "where", "called_name" }) do for_host[functions[name]] = true end

functions.null = null

return functions
