-- ARGV[6..9]: name, value, lease id, ttl in ms
local name = ARGV[6]
if redis.call('HEXISTS', records, name) == 1 then return answer('conflict') end
change(name, ARGV[7], nil, ARGV[8] .. ':' .. ARGV[9] .. ':0:0')
return answer('ok')
