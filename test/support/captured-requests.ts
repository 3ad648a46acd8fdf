import type { Scope } from '../../src/principals/scopes.js';

/**
 * Requests of the platform's own programs, by their sources, without the host, the credentials and ids:
 * `{api_key}`, `{secret_key}`, `{credential}`, `{session}` and `{id}` stand for those. Method, path, headers and body are
 * those of:
 *
 * - the official command line, github.com/AIOZNetwork/pinning-service-cli (ecc38a0)
 * - the MCP server, github.com/namle-aioz/aioz-pin-mcp-server (e9e0764), which asks for the account first
 * - the toolkit's scripts (`generate_api_key.sh` and so on, as its API reference lists them), which call curl
 * - `ipfs pin remote`: github.com/ipfs/kubo, core/commands/pin/remotepin.go, and ipfs/boxo, pinning/remote/client
 *
 * curl's framing was recorded from curl 7.88 itself. That of Go was derived from net/http's source, and none of these
 * programs was seen on the wire. Go may split a chunked body elsewhere.
 */
export interface CapturedRequest {
  from: string;
  /** The request line, and each header verbatim. */
  head: string[];
  body: string;
}

/** A call that the key service answers itself. */
export interface ManagementCall extends CapturedRequest {
  /** How the program detects success: the status 200; `status` and an object in `data`; or any JSON for `jq`. */
  reads: 'status' | 'data' | 'json';
  does: 'tests' | 'issues' | 'lists' | 'revokes';
}

/** A call to the platform, which a gateway has authorized. */
export interface PlatformCall extends CapturedRequest {
  needs: Scope;
  /** The scope that it needs with `deploy/routes.example.json` as ROUTE_TABLE, if different. */
  listed?: Scope;
}

const PIN = '9d4a9a9f-6f5e-4d0b-8a4e-2f6a1f0c7b11';
const CID = 'Qmc1135ziMvmFG534i75E8HpJoLqzLzgKBxfjBV9cBsMAs';
const JSON_TYPE = 'Content-Type: application/json';

/** By net/http's source: its own headers, the length, then the others in alphabetical order and canonical case. */
function go(from: string, line: string, headers: string[], body = '', agent = 'Go-http-client/1.1'): CapturedRequest {
  const isChunked = headers.includes(CHUNKED);
  const framing = isChunked ? [CHUNKED] : body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const others = headers.filter((header) => header !== CHUNKED);
  const own = ['Host: api.w3ipfs.aioz.network', `User-Agent: ${agent}`];
  const head = [`${line} HTTP/1.1`, ...own, ...framing, ...others, 'Accept-Encoding: gzip'];
  return { from, head, body: isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body };
}
const CHUNKED = 'Transfer-Encoding: chunked';
const GO_PAIR = ['Pinning_api_key: {api_key}', 'Pinning_secret_key: {secret_key}'];

/** curl: the headers as given, then the length, and the type of a form after it. */
function curl(from: string, line: string, headers: string[], body = '', form: string[] = []): CapturedRequest {
  const own = ['Host: api.aiozpin.network', 'User-Agent: curl/7.88.1', 'Accept: */*'];
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return { from, head: [`${line} HTTP/1.1`, ...own, ...headers, ...length, ...form], body };
}
const CURL_PAIR = ['pinning_api_key: {api_key}', 'pinning_secret_key: {secret_key}'];

function part(boundary: string, disposition: string, content: string, type?: string): string {
  const lines = [
    `--${boundary}`,
    `Content-Disposition: form-data; ${disposition}`,
    ...(type ? [`Content-Type: ${type}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${content}\r\n`;
}
const upload = (boundary: string, file: string, type: string, more = '') =>
  `${part(boundary, `name="file"; filename="${file}"`, 'meow', type)}${more}--${boundary}--\r\n`;

const GO_BOUNDARY = '3a1f0c7b114d0b8a4e2f6a9d4a9a9f6f5e3a1f0c7b114d0b8a4e2f6a9d4a';
const CURL_BOUNDARY = '------------------------38e595cde8328547';
const multipart = (boundary: string) => `Content-Type: multipart/form-data; boundary=${boundary}`;

const SESSION = ['Authorization: Bearer {session}', JSON_TYPE];
const named = (scopes: object) => JSON.stringify({ name: 'gallery', scopes });
const FEW_SCOPES = {
  admin: false,
  data: { pin_list: true, nft_list: false },
  pinning: { unpin: false, pin_by_hash: true, pin_file_to_ipfs: false },
  pin_nft: { unpin_nft: false, pin_nft_to_ipfs: false },
};
/** As in the script's here-document. */
const IN_LINES = JSON.stringify({ name: 'gallery', scopes: FEW_SCOPES }, undefined, 2);

const cli = (command: string, ...rest: [string, string[], string?]) => go(`pinning ${command}`, ...rest);
const mcp = (tool: string, ...rest: [string, string[], string?]) => go(`the MCP server's ${tool}`, ...rest);

export const MANAGEMENT_CALLS: ManagementCall[] = [
  { ...cli('login', 'GET /api/apiKeys/testAuthentication/', GO_PAIR), reads: 'status', does: 'tests' },
  {
    ...mcp('generate-api-key, admin', 'POST /api/apiKeys', SESSION, named({ admin: true })),
    reads: 'data',
    does: 'issues',
  },
  { ...mcp('generate-api-key', 'POST /api/apiKeys', SESSION, named(FEW_SCOPES)), reads: 'data', does: 'issues' },
  { ...mcp('get-list-api-keys', 'GET /api/apiKeys/list', SESSION), reads: 'data', does: 'lists' },
  { ...mcp('delete-api-key', 'DELETE /api/apiKeys/{id}', SESSION), reads: 'data', does: 'revokes' },
  { ...curl('generate_api_key.sh', 'POST /api/apiKeys/', SESSION, IN_LINES), reads: 'json', does: 'issues' },
  { ...curl('get_list_api_keys.sh', 'GET /api/apiKeys/list', SESSION), reads: 'json', does: 'lists' },
  // In another letter case than its siblings
  { ...curl('delete_api_key.sh', 'DELETE /api/apikeys/{id}', SESSION), reads: 'json', does: 'revokes' },
];

const ADDED = `{\n  "hash_to_pin": "${CID}",\n  "metadata": {\n    "name": "cat"\n  }\n}`;
const SORTED = 'offset=0&limit=10&pinned=true&sortBy=name&sortOrder=ASC';
const CURL_UPLOAD = upload(CURL_BOUNDARY, 'cat.txt', 'text/plain');
const CLI_UPLOAD = upload(
  GO_BOUNDARY,
  'cat.txt',
  'application/octet-stream',
  part(GO_BOUNDARY, 'name="metadata"', '{"keyvalues":null}'),
);
const MCP_UPLOAD = upload(GO_BOUNDARY, 'aioz-pin-2718281828', 'application/octet-stream');

/** These programs set a type even without a body, and net/http sends it. */
const TYPED_PAIR = [JSON_TYPE, ...GO_PAIR];

export const PLATFORM_CALLS: PlatformCall[] = [
  { ...cli('get-pin', `GET /api/pinning/${PIN}`, GO_PAIR), needs: 'data.pin_list' },
  { ...cli('list-pins', 'GET /api/pinning/pins/?offset=0&limit=10&metadata=null', GO_PAIR), needs: 'data.pin_list' },
  {
    ...cli('list-pins --keyvalue', 'GET /api/pinning/pins/?offset=0&limit=10&metadata={"a":"b"}', GO_PAIR),
    needs: 'data.pin_list',
  },
  {
    ...cli(
      'pin --hash',
      'POST /api/pinning/pinByHash/',
      TYPED_PAIR,
      `{"hash_to_pin":"${CID}","metadata":{"name":"cat","keyvalues":null}}`,
    ),
    needs: 'pinning.pin_by_hash',
  },
  {
    ...cli('pin --file', 'POST /api/pinning/', [CHUNKED, multipart(GO_BOUNDARY), ...GO_PAIR], CLI_UPLOAD),
    needs: 'pinning.pin_file_to_ipfs',
  },
  { ...cli('unpin', `DELETE /api/pinning/unpin/${PIN}`, TYPED_PAIR), needs: 'pinning.unpin' },
  { ...mcp('look at the account', 'GET /api/users/me', SESSION), needs: 'admin' },
  { ...mcp('list-pins', `GET /api/pinning/pins/?${SORTED}`, TYPED_PAIR), needs: 'data.pin_list' },
  { ...mcp('get-pin-details', `GET /api/pinning/${PIN}`, TYPED_PAIR), needs: 'data.pin_list' },
  {
    ...mcp('pin-by-cid', 'POST /api/pinning/pinByHash', TYPED_PAIR, `{"hash_to_pin":"${CID}"}`),
    needs: 'pinning.pin_by_hash',
  },
  {
    ...mcp('pin-files-or-directory', 'POST /api/pinning/', [multipart(GO_BOUNDARY), ...GO_PAIR], MCP_UPLOAD),
    needs: 'pinning.pin_file_to_ipfs',
  },
  { ...mcp('unpin-file', `DELETE /api/pinning/unpin/${PIN}`, TYPED_PAIR), needs: 'pinning.unpin' },
  { ...mcp('get-top-up', 'GET /api/billing/topUp?offset=0&limit=10', TYPED_PAIR), needs: 'admin' },
  { ...curl('list_pins.sh', `GET /api/pinning/pins/?${SORTED}`, CURL_PAIR), needs: 'data.pin_list' },
  { ...curl('get_pin_details.sh', `GET /api/pinning/${PIN}`, CURL_PAIR), needs: 'data.pin_list' },
  {
    ...curl('pin_by_cid.sh', 'POST /api/pinning/pinByHash', [...CURL_PAIR, JSON_TYPE], ADDED),
    needs: 'pinning.pin_by_hash',
  },
  {
    ...curl('pin_files_or_directory.sh', 'POST /api/pinning/', CURL_PAIR, CURL_UPLOAD, [multipart(CURL_BOUNDARY)]),
    needs: 'pinning.pin_file_to_ipfs',
  },
  { ...curl('unpin_file.sh', `DELETE /api/pinning/unpin/${PIN}`, CURL_PAIR), needs: 'pinning.unpin' },
  { ...billing('historyUsage'), needs: 'admin' },
  { ...billing('topUp'), needs: 'admin' },
  { ...billing('thisMonthUsage'), needs: 'admin' },
];

function billing(name: string) {
  return curl(`the script for ${name}`, `GET /api/billing/${name}/?offset=0&limit=10`, CURL_PAIR);
}

/** After `ipfs pin remote service add w3ipfs https://<gateway>/api/pinning <credential>`, which sends nothing itself. */
const IPFS_HEADERS = ['Accept: application/json', 'Authorization: Bearer {credential}'];
const ipfs = (command: string, line: string, body = '') =>
  go(
    `ipfs pin remote ${command}`,
    line,
    body === '' ? IPFS_HEADERS : [...IPFS_HEADERS, JSON_TYPE],
    body,
    'go-pinning-service-http-client',
  );

export const IPFS_CALLS: PlatformCall[] = [
  { ...ipfs('service ls --stat', 'GET /api/pinning/pins?limit=1&status=queued'), needs: 'data.pin_list' },
  { ...ipfs('ls', 'GET /api/pinning/pins?limit=10&status=pinned'), needs: 'data.pin_list' },
  {
    ...ipfs(
      'ls, the next page',
      'GET /api/pinning/pins?before=2026-11-01T10%3A00%3A00Z&limit=10&status=queued%2Cpinned',
    ),
    needs: 'data.pin_list',
  },
  {
    ...ipfs('add', 'POST /api/pinning/pins', '{"cid":"bafkqaaa","name":"cat"}\n'),
    needs: 'admin',
    listed: 'pinning.pin_by_hash',
  },
  {
    ...ipfs('add, while it waits', `GET /api/pinning/pins/${PIN}`),
    needs: 'admin',
    listed: 'data.pin_list',
  },
  { ...ipfs('rm', `DELETE /api/pinning/pins/${PIN}`), needs: 'admin', listed: 'pinning.unpin' },
];
