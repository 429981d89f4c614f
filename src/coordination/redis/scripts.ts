/**
 * The lock's writes that compare first. Each is one script, so that nobody gets between the
 * comparison and the write. Sent as text each time: they are short, and a restarted or failed-over
 * server has no script cache to rely on.
 *
 * The master's address lives exactly as long as the lock does, so that a stored address means a master.
 */

/** KEYS: lock, master. ARGV: incarnation, ttl in ms. */
export const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('HGET', KEYS[2], 'incarnation') == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1`;

/** KEYS: lock, master. ARGV: incarnation, channel, announcement. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('HGET', KEYS[2], 'incarnation') == ARGV[1] then redis.call('DEL', KEYS[2]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`;

/** KEYS: lock, master. ARGV: incarnation, channel, announcement, then the fields and values of the address. */
export const PUBLISH_MASTER = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local ttl = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ttl) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`;

/**
 * KEYS: node, index. ARGV: node id, announcement, ttl in ms. The index (node ids by when they expire)
 * saves listing the nodes from a SCAN of all keys of a server that others use too.
 */
export const ANNOUNCE_NODE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1`;

/** KEYS: node, index. ARGV: node id. */
export const WITHDRAW_NODE = `
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`;

/** KEYS: index. ARGV: what the nodes' keys begin with; they share the index's slot. */
export const LIST_NODES = `
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local announcement = redis.call('GET', ARGV[1] .. id)
  if announcement then found[#found + 1] = announcement end
end
return found`;
