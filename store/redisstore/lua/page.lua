-- ARGV[3..5]: where the page begins, most records, bytes after which it ends
local names = redis.call('ZRANGEBYLEX', index, ARGV[3], '+', 'LIMIT', 0, ARGV[4])
local out, size, limit = {}, 0, tonumber(ARGV[5])
for _, name in ipairs(names) do
  local record = redis.call('HGET', records, name)
  out[#out + 1] = name
  out[#out + 1] = record
  size = size + #name + #record
  if size > limit then break end
end
local more = 0
if #names > 0 and (#names == tonumber(ARGV[4]) or #out < 2 * #names) then more = 1 end
return answer('ok', more, redis.call('HLEN', leases), out)
