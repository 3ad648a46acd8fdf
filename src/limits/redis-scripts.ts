import { createHash } from 'node:crypto';

/** A Lua script, and the hash under which Redis caches it. */
export interface Script {
  source: string;
  sha1: string;
}

function script(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * `SlidingWindow.take()`. The key holds one string, in MessagePack: the length of a slot, the newest slot by the
 * clock, its position, the sum, the ring of counts (see `sliding-window.ts`), the window's start, and the cost restored
 * to it. It is written when a cost is charged or restored, or when the clock has run backwards, and expires with the
 * window.
 *
 * The server may have lost its data. So the caller sends the last report that it received: if that names another
 * window, its cost is restored, minus the cost that other processes have restored already.
 *
 * ARGV: requests, slot in milliseconds, cost, the time in milliseconds or '' for the server's time, 1 to charge the cost
 * even if it does not fit (it was granted elsewhere); and from the last report the cost that counted, for how many
 * milliseconds more, and the window's start.
 * Returns: granted (0, 1), remaining, reset in ms, retry after in ms, the position of the charge, and the window's start
 * (microseconds by the server's time; identifies the window).
 */
export const TAKE = script(/* lua */ `
local SLOTS, RING = 100, 101
local key, requests, slotMs, cost = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(ARGV[4]) or time[1] * 1000 + math.floor(time[2] / 1000)
local begun, restored = time[1] * 1000000 + time[2], 0

local slot = math.floor(now / slotMs)
local position, sum, weights = slot, 0, nil
local ranBackwards = false
local function zeros()
  local ring = {}
  for i = 1, RING do ring[i] = 0 end
  return ring
end

local state = redis.call('GET', key)
if state then
  local formerSlotMs, formerSlot, formerPosition, formerSum, former, formerBegun, formerRestored =
    unpack(cmsgpack.unpack(state))
  begun, restored = formerBegun or 0, formerRestored or 0
  ranBackwards = formerSlot * formerSlotMs > now
  if formerSlotMs == slotMs then
    local passed = math.max(0, slot - formerSlot)
    position, sum, weights = formerPosition + passed, formerSum, former
    for i = 1, math.min(passed, RING) do
      local place = (formerPosition + i) % RING + 1
      sum = sum - weights[place]
      weights[place] = 0
    end
  else
    weights = zeros()
    for age = 0, SLOTS do
      local endOfSlot = (formerSlot - age + 1) * formerSlotMs
      local newAge = slot - math.floor(math.min(endOfSlot, now) / slotMs)
      if newAge < RING then
        local weight = former[(formerPosition - age) % RING + 1]
        local place = (position - newAge) % RING + 1
        weights[place] = weights[place] + weight
        sum = sum + weight
      end
    end
  end
else
  weights = zeros()
end

local function weightOf(age) return weights[(position - age) % RING + 1] end
local function untilEnd(age) return math.ceil((slot - age + RING) * slotMs - now) end

local lost, lostMs, lostBegun = tonumber(ARGV[6]) or 0, tonumber(ARGV[7]) or 0, tonumber(ARGV[8]) or 0
local isRestored = lost > restored and lostMs > 0 and lostBegun ~= begun
if isRestored then
  local age = math.min(math.max(math.floor(slot + RING - (now + lostMs) / slotMs), 0), SLOTS)
  local place = (position - age) % RING + 1
  weights[place] = weights[place] + lost - restored
  sum, restored = sum + lost - restored, lost
end

local granted = cost == 0 or sum + cost <= requests or ARGV[5] == '1'
local retryAfterMs = 0
if granted and cost > 0 then
  local place = position % RING + 1
  weights[place] = weights[place] + cost
  sum = sum + cost
elseif not granted and cost > requests then
  retryAfterMs = SLOTS * slotMs
elseif not granted then
  local left, age = sum, RING
  while left > requests - cost and age > 0 do
    age = age - 1
    left = left - weightOf(age)
  end
  retryAfterMs = untilEnd(age)
end
if (granted and cost > 0) or ranBackwards or isRestored then
  local kept = {slotMs, slot, position, sum, weights, begun, restored}
  redis.call('SET', key, cmsgpack.pack(kept), 'PX', RING * slotMs)
end

local newest = 0
while newest < RING and weightOf(newest) == 0 do newest = newest + 1 end
local resetMs = newest == RING and 0 or untilEnd(newest)
return {granted and 1 or 0, math.max(0, requests - sum), resetMs, retryAfterMs, position, begun}
`);

/**
 * `SlidingWindow.refund()`.
 *
 * ARGV: the position of the charge, its slot in milliseconds, its cost.
 */
export const REFUND = script(/* lua */ `
local RING = 101
local state = redis.call('GET', KEYS[1])
if not state then return end
local slotMs, slot, position, sum, weights, begun, restored = unpack(cmsgpack.unpack(state))
local age = position - tonumber(ARGV[1])
if slotMs ~= tonumber(ARGV[2]) or age < 0 or age >= RING then return end
local place = (position - age) % RING + 1
local cost = math.min(tonumber(ARGV[3]), weights[place])
weights[place] = weights[place] - cost
redis.call('SET', KEYS[1], cmsgpack.pack({slotMs, slot, position, sum - cost, weights, begun or 0, restored or 0}), 'KEEPTTL')
`);

/**
 * Registers a process among those that share this Redis.
 *
 * ARGV: the process's id, and for how many milliseconds it counts without another heartbeat.
 * Returns: the number of processes, and 1 if this one was not listed before.
 */
export const HEARTBEAT = script(/* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local isNew = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), isNew}
`);
