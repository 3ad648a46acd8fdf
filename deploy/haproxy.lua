-- Asks the key service before a request passes to the platform, for haproxy.cfg:
--
--   http-request lua.w3ipfs_authorize                 what the route table says
--   http-request lua.w3ipfs_authorize_scope admin     what the scope says
--
-- Any other status than 200 is the client's answer. haproxy.cfg passes a request only if `txn.w3ipfs_allowed` is set here.

-- The address of the key service, `host:port`
local address = os.getenv('W3IPFS_AUTHORIZE')

-- The only client headers that are sent to the key service, as often as the client sent them
local CREDENTIALS = { 'authorization', 'pinning_api_key', 'pinning-api-key', 'pinning_secret_key', 'pinning-secret-key' }

-- The identity headers for the platform
local IDENTITY = { 'x-w3ipfs-owner', 'x-w3ipfs-key-id', 'x-w3ipfs-scopes', 'x-w3ipfs-code' }

-- The headers of a refusal for the client
local REFUSAL = {
  'cache-control', 'content-type', 'ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate', 'x-request-id',
  'x-w3ipfs-code', 'x-w3ipfs-scope',
}
local REFUSALS = { [400] = true, [401] = true, [403] = true, [429] = true }

local UNAVAILABLE = '{"status":"error","error":{"code":"unavailable","message":"The service is not reachable. ' ..
  'Try again in a moment."},"request_id":"%s"}'

-- HAProxy counts the values of a header from 0
local function values_of(headers, name)
  local values = {}
  local given = headers[name]
  if given then
    local index = given[0] ~= nil and 0 or 1
    while given[index] ~= nil do
      values[#values + 1] = given[index]
      index = index + 1
    end
  end
  return values
end

local function unavailable(request_id)
  return {
    status = 503,
    body = UNAVAILABLE:format(request_id),
    headers = {
      ['content-type'] = { 'application/json' },
      ['cache-control'] = { 'no-store' },
      ['retry-after'] = { '2' },
      ['x-request-id'] = { request_id },
    },
  }
end

local function ask(txn, query, request_id)
  local headers = {
    ['x-original-method'] = { txn.sf:method() },
    -- Without its query, which does not matter
    ['x-original-uri'] = { txn.sf:path() },
    -- For allowed_cidrs: the key service trusts it from the addresses in TRUSTED_PROXIES
    ['x-forwarded-for'] = { txn.sf:src() },
    ['x-request-id'] = { request_id },
  }
  local given = txn.http:req_get_headers()
  for _, name in ipairs(CREDENTIALS) do
    local values = values_of(given, name)
    if #values > 0 then headers[name] = values end
  end
  local url = 'http://' .. address .. '/api/apiKeys/authorize' .. query
  return core.httpclient():get { url = url, headers = headers, timeout = 5000 }
end

local function authorize(txn, query)
  local request_id = txn:get_var('txn.w3ipfs_request_id') or ''
  local answer = ask(txn, query, request_id)
  if answer and answer.status == 200 then
    for _, name in ipairs(IDENTITY) do
      txn.http:req_set_header(name, values_of(answer.headers, name)[1] or '')
    end
    txn:set_var('txn.w3ipfs_allowed', true)
    return
  end
  if not answer or not REFUSALS[answer.status] then answer = unavailable(request_id) end
  local reply = txn:reply { status = answer.status, body = answer.body }
  for _, name in ipairs(REFUSAL) do
    for _, value in ipairs(values_of(answer.headers, name)) do reply:add_header(name, value) end
  end
  txn:done(reply)
end

core.register_action('w3ipfs_authorize', { 'http-req' }, function(txn) authorize(txn, '') end, 0)
core.register_action('w3ipfs_authorize_scope', { 'http-req' }, function(txn, scope)
  authorize(txn, '?scope=' .. scope)
end, 1)
