-- ARGV[6..7]: name, lease id. A heartbeat is no change: it has no version.
local lease = held(ARGV[6], ARGV[7])
if not lease then return answer('lost') end
local head, beats, updates = string.match(lease, '^(.*:)(%d+)(:%d+)$')
redis.call('HSET', leases, ARGV[6], head .. int(tonumber(beats) + 1) .. updates)
return answer('ok')
