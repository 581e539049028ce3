-- ARGV[3..5]: after which version, most entries, bytes after which it ends
local from, limit, size = tonumber(ARGV[3]), tonumber(ARGV[5]), 0
if from < gone then return answer('compacted') end
local out = {}
for at = from + 1, math.min(v, from + tonumber(ARGV[4])) do
  local e = redis.call('XRANGE', undo, int(at), int(at))[1]
  if not e then return answer('compacted') end
  local name, old = '', false
  for i = 1, #e[2], 2 do
    if e[2][i] == 'n' then name = e[2][i + 1] end
    if e[2][i] == 'p' then old = e[2][i + 1] end
  end
  out[#out + 1] = name
  out[#out + 1] = old or ''
  size = size + #name + #(old or '')
  if size > limit then break end
end
return answer('ok', out)
