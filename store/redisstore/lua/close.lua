-- ARGV[6..7]: name, lease id
if not held(ARGV[6], ARGV[7]) then return answer('lost') end
change(ARGV[6], nil, redis.call('HGET', records, ARGV[6]))
return answer('ok')
