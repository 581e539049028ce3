-- ARGV[6..8]: name, its lease up to the heartbeats as it was observed, run id of the
-- server then. A heartbeat since, a successor, or another server: nothing is done.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run ~= ARGV[8] or not held(ARGV[6], ARGV[7]) then return answer('conflict') end
change(ARGV[6], nil, redis.call('HGET', records, ARGV[6]))
return answer('ok')
