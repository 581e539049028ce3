-- All leases, and which server says so.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
return answer('ok', run, redis.call('HGETALL', leases))
