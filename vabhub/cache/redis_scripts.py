"""The steps that Redis takes all at once, in Lua. A sequence that is gone goes on from the clock."""

_NEXT = """
local function next_number(key)
  local seq = redis.call('INCR', key)
  if seq == 1 then
    local now = redis.call('TIME')
    seq = now[1] * 1000000 + now[2]
    redis.call('SET', key, string.format('%.0f', seq))
  end
  return string.format('%.0f', seq)
end
"""

# KEYS: data, mark, marks of prefixes, sequence.
# ARGV: bytes, ms, sequence at the start or '', newest believable time in us, key, version, channel, message.
# Returns the sequence now, or -1 when the entry is refused.
PUT = """
local function built_at(text)
  if string.byte(text, 1) ~= tonumber(ARGV[6]) or #text < 9 then return 0 end
  local n = 0
  for i = 2, 9 do n = n * 256 + string.byte(text, i) end
  return n
end
if ARGV[3] ~= '' then
  local since = tonumber(ARGV[3])
  local mark = redis.call('GET', KEYS[2])
  if mark and tonumber(mark) > since then return -1 end
  local marks = redis.call('HGETALL', KEYS[3])
  for i = 1, #marks, 2 do
    if tonumber(marks[i + 1]) > since and string.sub(ARGV[5], 1, #marks[i]) == marks[i] then return -1 end
  end
end
local known = redis.call('GET', KEYS[1])
if known then
  local at = built_at(known)
  if at > built_at(ARGV[1]) and at <= tonumber(ARGV[4]) then return -1 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[8] ~= '' then redis.call('PUBLISH', ARGV[7], ARGV[8]) end
return tonumber(redis.call('GET', KEYS[4]) or 0)
"""

# KEYS: sequence, then data and mark of each key. ARGV: channel, message, ms that a mark is kept.
GONE = (
    _NEXT
    + """
local seq, count = next_number(KEYS[1]), 0
for i = 2, #KEYS, 2 do
  count = count + redis.call('DEL', KEYS[i])
  redis.call('SET', KEYS[i + 1], seq, 'PX', ARGV[3])
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return count
"""
)

# KEYS: sequence, marks of prefixes. ARGV: prefix. Too many marks become one that holds for all keys.
GONE_PREFIX = (
    _NEXT
    + """
local seq = next_number(KEYS[1])
if redis.call('HLEN', KEYS[2]) > 100 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], '', seq)
end
redis.call('HSET', KEYS[2], ARGV[1], seq)
redis.call('PEXPIRE', KEYS[2], 600000)
return seq
"""
)

RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
