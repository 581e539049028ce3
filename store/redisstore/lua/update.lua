-- ARGV[6..9]: name, value, lease id, number of the update. One that comes after a
-- later one is refused: what it says is not true any more.
local name, lease = ARGV[6], held(ARGV[6], ARGV[8])
if not lease then return answer('lost') end
local head, newest = string.match(lease, '^(.*:)(%d+)$')
if tonumber(ARGV[9]) <= tonumber(newest) then return answer('late') end
change(name, ARGV[7], redis.call('HGET', records, name), head .. ARGV[9])
return answer('ok')
