-- ARGV[3]: name
local record = redis.call('HGET', records, ARGV[3])
if not record then return answer('missing') end
return answer('ok', record)
