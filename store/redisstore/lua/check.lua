-- ARGV[3..4]: version that a watch has come to, and its tag as far as it is known
local from = tonumber(ARGV[3])
if not continues(from, ARGV[4]) then return answer('diverged') end
if from < gone then return answer('compacted') end
return answer('ok', tag_of(from) or '', redis.call('HLEN', leases))
