-- ARGV[6..8]: name, value, lease id
local name = ARGV[6]
if not held(name, ARGV[8]) then return answer('lost') end
change(name, ARGV[7], redis.call('HGET', records, name))
return answer('ok')
