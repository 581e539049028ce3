-- What all scripts begin with. A space has one key of each kind, all in the
-- fleet's hash slot:
--   meta     hash: v version of the newest change, t its tag, gone newest version
--            that the log has lost, bytes size of the log and undo
--   records  hash: name -> "version:value"
--   index    sorted set of the names, all with score 0, for paging in their order
--   log      stream: entry "version-0" with n name, x value (none: deleted), t the
--            change's tag, b the tag of the change before, l if it began a lease
--   undo     stream: entry "version-0" with n name, p the record that was replaced
--   leases   hash: name -> "id:ttl in ms:heartbeats:number of the newest update"
-- Versions of a space are 1, 2, 3, ...: each change is the next one, and a hole in
-- the log cannot be overlooked. They are exact in Lua up to 2^53.
local meta, records, index, log, undo, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local function int(n) return string.format('%.0f', n) end

local m = redis.call('HMGET', meta, 'v', 't', 'gone', 'bytes')
local v, tag, gone, bytes = tonumber(m[1] or '0'), m[2] or '', tonumber(m[3] or '0'), tonumber(m[4] or '0')

-- tag_of returns the tag of the change at a version, or nil if the log has lost it.
local function tag_of(at)
  if at == v then return tag end
  if at <= gone or at > v then return nil end
  local e = redis.call('XRANGE', log, int(at), int(at))[1]
  if not e then return nil end
  for i = 1, #e[2], 2 do
    if e[2][i] == 't' then return e[2][i + 1] end
  end
end

-- continues tells whether this is the history in which the caller once saw a
-- change: it is there, or too old to be compared.
local function continues(at, its)
  if at > v then return false end
  if its == '' then return true end
  local t = tag_of(at)
  return t == nil or t == its
end

local function answer(status, ...) return {status, v, tag, ...} end

-- Every call says what its process has seen of the space.
if not continues(tonumber(ARGV[1]), ARGV[2]) then return answer('rewound') end
