-- ARGV[6..9]: name, expected version, 'put' or 'delete', value
local name, expect = ARGV[6], ARGV[7]
local old = redis.call('HGET', records, name)
local at = old and string.match(old, '^%d+') or '0'
if at ~= expect then return answer('conflict') end
if ARGV[8] == 'delete' then
  change(name, nil, old)
else
  change(name, ARGV[9], old)
end
return answer('ok')
