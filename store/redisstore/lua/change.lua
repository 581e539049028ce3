-- What the scripts that change a space have besides. Nothing is undone when a
-- script fails half way, so what could be refused, for example by an ACL, is tried
-- once when a store is opened.
local history, history_bytes, new_tag = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

-- trim drops the oldest changes until at most keep are left, of at most limit bytes.
local function trim(keep, limit)
  local before = gone
  while v > gone and (v - gone > keep or bytes > limit) do
    local at = int(gone + 1)
    for _, key in ipairs({log, undo}) do
      local e = redis.call('XRANGE', key, at, at)[1]
      if e then
        for i = 1, #e[2] do bytes = bytes - #e[2][i] end
      end
    end
    gone = gone + 1
  end
  if gone > before then
    redis.call('XTRIM', log, 'MINID', int(gone + 1))
    redis.call('XTRIM', undo, 'MINID', int(gone + 1))
    redis.call('HSET', meta, 'gone', int(gone), 'bytes', int(bytes))
  end
end

-- change gives a record its next version; no value deletes it. old is what HGET
-- says of it.
local function change(name, value, old, lease)
  v = v + 1
  local entry, back = {'n', name, 't', new_tag, 'b', tag}, {'n', name}
  if value then
    entry[#entry + 1] = 'x'
    entry[#entry + 1] = value
  end
  if lease then
    entry[#entry + 1] = 'l'
    entry[#entry + 1] = '1'
  end
  if old then
    back[#back + 1] = 'p'
    back[#back + 1] = old
  end
  for i = 1, #entry do bytes = bytes + #entry[i] end
  for i = 1, #back do bytes = bytes + #back[i] end
  redis.call('XADD', log, int(v) .. '-0', unpack(entry))
  redis.call('XADD', undo, int(v) .. '-0', unpack(back))
  tag = new_tag
  redis.call('HSET', meta, 'v', int(v), 't', tag, 'bytes', int(bytes))
  if value then
    redis.call('HSET', records, name, int(v) .. ':' .. value)
    if not old then redis.call('ZADD', index, 0, name) end
    if lease then redis.call('HSET', leases, name, lease) end
  else
    redis.call('HDEL', records, name)
    redis.call('ZREM', index, name)
    redis.call('HDEL', leases, name)
  end
  trim(history, history_bytes)
end

-- held returns the lease of a name if it begins with that, up to a colon.
local function held(name, beginning)
  local lease = redis.call('HGET', leases, name)
  if lease and string.sub(lease, 1, #beginning + 1) == beginning .. ':' then return lease end
end
