// SPDX-License-Identifier: Apache-2.0
// Raw requests: valid ones, and what mutations make of them, drawn from a seed. Text is latin1, a byte a character.

/** mulberry32: small, and the same everywhere. */
export function draws(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, one: (list) => list[below(list.length)], chance: (p) => next() < p };
}

export const host = "alli.test:8080"; // the same in front of every server: allowed_hosts names it
const blanks = [" ", "\t", "  ", "\x0b", "\x0c", "\xa0", "\x85", "\0", "\r", "\n", "\r\n ", "\r\n\t"];
const lineEnds = ["\n", "\r", "\r\r\n", "\n\r", "\r \n", "", "\r\n\r\n", "\r\n ", "\0\r\n"];
const lengths = ["0", "5", "+5", "-1", "-0", "5,5", "5, 5", "5,6", "0x5", "5 ", "05", "000000000000000000000000005", "5;", "", "5_0", "1e1", "5.0", "18446744073709551616", "18446744073709551621", "9999999999", "5\t", "\x0b5", "5\x0b", "5\0", "\xb5", "5 5", "six"];
const codings = ["chunked", "Chunked", "CHUNKED", "chunked, chunked", "identity", "identity, chunked", "chunked, identity", "xchunked", "chunkedx", "chunked;q=1", '"chunked"', "", "chunked,", ",chunked", ", chunked", "\x0bchunked", "chunked\x0b", "chunked\t", "\tchunked", "gzip, chunked", "gzip", "chunked\0", "chunked\x85", "chun ked", "chunked, gzip", "x, chunked", "chunked\r\n , identity"];
const names = ["Content-Length", "content-length", "CONTENT-LENGTH", "Content_Length", "Content-Length ", " Content-Length", "Content-Length\t", "Content\0-Length", "Content-Length\x0b", "Transfer-Encoding", "transfer-encoding", "Transfer_Encoding", "Transfer-Encoding ", " Transfer-Encoding", "Transfer-Encoding\t", "Transfer-Encoding\0", "Transfer Encoding", "\x0bTransfer-Encoding"];
const versions = ["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/1.10", "HTTP/01.1", "http/1.1", "HTTP/1.1 ", " HTTP/1.1", "HTTP/ 1.1", "HTTP/1.", "HTTP/11", "HTTP/1,1", "HTTP/1.1\t", "HTTP/1.1x", "HTP/1.1", "", "HTTP/1.1 HTTP/1.1", "RTSP/1.0", "HTTP\\1.1", "HTTP/1.1\0", "HTTP/+1.1"];
const methods = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "get", "Post", "G@T", "GE T", "FOO", "TRACE", "\0GET", "GET\t", "PRI", "M-SEARCH", "G\xc9T", "\"GET\"", "GET:", "POST/"];
const others = ["Connection: close", "Connection: keep-alive", "Connection: keep-alive, close", "Connection: Content-Length", "Connection: Transfer-Encoding", "Connection: Host", "Connection: X-Case", "Connection: upgrade", "Upgrade: h2c", "Upgrade: websocket", "Expect: 100-continue", "Expect: 100-continued", "Expect:", "TE: trailers", "Trailer: Content-Length", "Keep-Alive: timeout=5", "Proxy-Connection: close", "Range: bytes=0-1", "Content-Encoding: gzip", "X-HTTP-Method-Override: GET", ":authority: evil.test", "", ":", "X", "X:", ": x", "X: \x80\xff", "X\x80: y", "X(y): z", "X: \0", "X: \x01", "X: \x7f", "Host: evil.test", "Host:", `Host: ${host}, evil.test`, `Host: ${host}`, `host : ${host}`, "Forwarded: host=evil.test"];
const sizes = ["0x5", "5 ", " 5", "05", "+5", "-5", "-0", "5;", "5;a", "5;a=b", '5;a="b"', '5;a="\r\n"', "5;\n", "5\t", "5 ;a", "5; a", "", "g", "5g", "5\x0b", "5\0", "0000000000000005", "000000000000000000000000000000005", "FFFFFFFFFFFFFFFF", "10000000000000005", "100000005", "4", "6", "5;\x80", "5;\0", "5;a\n", "5,5", "5\r"];
const lasts = ["00", "000;a", "0 ", "0;", "0;a=b", "", "-0", "0x0", "0\t", "1", " 0"];
const trailers = ["X-Trailer: 1\r\n", `Host: evil.test\r\n`, "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "X\r\n", " X: 1\r\n", "X : 1\r\n", "X: 1\n", ": 1\r\n", "X: a\r\n b\r\n", "API-KEY: other\r\n"];
const bytes = ["\0", "\x01", "\t", "\n", "\r", "\x0b", "\x0c", " ", '"', "#", ",", ":", ";", "=", "?", "\\", "\x7f", "\x80", "\xa0", "\xff", "0", "_"];

function targets(id) {
  const own = `/webapi/e/${id}`;
  return ["*", "", "/", own.slice(1), `//webapi/e/${id}`, `http://${host}${own}`, `http://${host}`, `HTTP://${host}${own}`, `https://${host}${own}`, `http://evil.test${own}`, `http://u@${host}${own}`, `http://${host}${own}#f`, `http:///${own}`, `ftp://${host}${own}`, host, `${own}#f`, `${own}\x80`, `${own}\x7f`, `${own}\0`, `${own}\t`, `${own}%`, `${own}%zz`, `${own}%00`, `${own}%2f..%2f`, `${own}/../x`, `${own}/%2e%2e/x`, `${own}/./x`, `${own}\\x`, `${own}?a b`, `${own} x`, `${own}?a"b`, `${own}|{}^\``, `${own}?#`, `?x=${id}`, `${own}//`, `${own}/${"x".repeat(9000)}`];
}

function chunked(...pieces) {
  return { size: pieces.map((one) => one.length.toString(16)), data: pieces, ends: pieces.map(() => "\r\n"), last: "0", lastEnd: "\r\n", trailer: "", end: "\r\n" };
}

const inner = (id) => `GET /webapi/smuggled/${id} HTTP/1.1\r\nHost: ${host}\r\nAPI-KEY: sandbox\r\nX-Case: ${id}\r\n\r\n`;

/** Valid requests, one of which each case starts from. */
function valid(random, id) {
  const own = `/webapi/e/${id}`;
  const plain = (method, more = [], body = "", version = "HTTP/1.1", target = own) => ({ method, target, version, headers: [`Host: ${host}`, "API-KEY: sandbox", `X-Case: ${id}`, ...more], body, ends: [] });
  const hidden = inner(id);
  return random.one([
    () => plain("GET"),
    () => plain("GET", [], "", "HTTP/1.1", `${own}?q=a+b&c=%20`),
    () => plain("GET", ["Connection: keep-alive"], "", "HTTP/1.0"),
    () => plain("GET", ["Accept: */*", "Cache-Control: no-cache"], "", "HTTP/1.1", `http://${host}${own}`),
    () => plain("DELETE"),
    () => plain("HEAD"),
    () => plain("PUT", ["Content-Length: 0"]),
    () => plain("POST", ["Content-Length: 5"], "hello"),
    () => plain("PATCH", ["Content-Type: application/json", "Content-Length: 7"], '{"a":1}'),
    () => plain("POST", ["Content-Length: 5"], "hello", "HTTP/1.0"),
    () => plain("POST", [`Content-Length: ${hidden.length}`], hidden),
    () => plain("POST", ["Content-Length: 5", "Expect: 100-continue"], "hello"),
    () => plain("POST", ["Transfer-Encoding: chunked"], chunked("hello")),
    () => plain("POST", ["Transfer-Encoding: chunked"], chunked("hello", " ", "world")),
    () => plain("PUT", ["Transfer-Encoding: chunked"], chunked()),
    () => plain("POST", ["Transfer-Encoding: chunked", "Trailer: X-Trailer"], { ...chunked("hello"), trailer: "X-Trailer: 1\r\n" }),
    () => plain("POST", ["Transfer-Encoding: chunked"], chunked(hidden)),
  ])();
}

function render(request) {
  const lines = [`${request.method} ${request.target} ${request.version}`, ...request.headers, ""];
  const head = lines.map((line, at) => line + (request.ends[at] ?? "\r\n")).join("");
  const { body } = request;
  if (typeof body === "string") return (request.before ?? "") + head + body;
  const chunks = body.data.map((data, at) => `${body.size[at]}${body.sizeEnds?.[at] ?? "\r\n"}${data}${body.ends[at]}`).join("");
  return `${request.before ?? ""}${head}${chunks}${body.last}${body.lastEnd}${body.trailer}${body.end}`;
}

const insert = (text, at, piece) => text.slice(0, at) + piece + text.slice(at);
const spot = (random, text) => random.below(text.length + 1);
const someHeader = (random, request) => random.below(request.headers.length);

// Each by its name; of a request in parts.
const mutations = {
  length: (rq, random) => rq.headers.splice(spot(random, rq.headers), 0, `Content-Length: ${random.one(lengths)}`),
  lengthInstead: (rq, random) => replaceHeader(rq, "Content-Length", random.one(lengths)),
  coding: (rq, random) => rq.headers.splice(spot(random, rq.headers), 0, `Transfer-Encoding: ${random.one(codings)}`),
  codingInstead: (rq, random) => replaceHeader(rq, "Transfer-Encoding", random.one(codings)),
  framingName: (rq, random) => {
    const name = random.one(names);
    rq.headers.splice(spot(random, rq.headers), 0, `${name}: ${/T/i.test(name[0] + name[1]) ? random.one(codings) : random.one(lengths)}`);
  },
  other: (rq, random) => rq.headers.splice(spot(random, rq.headers), 0, random.one(others)),
  twice: (rq, random) => rq.headers.splice(spot(random, rq.headers), 0, rq.headers[someHeader(random, rq)]),
  without: (rq, random) => rq.headers.splice(someHeader(random, rq), 1),
  headerBlank: (rq, random) => {
    const at = someHeader(random, rq);
    const header = rq.headers[at];
    const colon = header.indexOf(":");
    rq.headers[at] = insert(header, random.one([0, Math.max(colon, 0), colon + 1, header.length, spot(random, header)]), random.one(blanks));
  },
  lineEnd: (rq, random) => (rq.ends[random.below(rq.headers.length + 2)] = random.one(lineEnds)),
  lineBlank: (rq, random) => {
    const part = random.one(["method", "target", "version"]);
    rq[part] = random.chance(0.5) ? random.one(blanks) + rq[part] : rq[part] + random.one(blanks);
  },
  method: (rq, random) => (rq.method = random.one(methods)),
  target: (rq, random, id) => (rq.target = random.one(targets(id))),
  version: (rq, random) => (rq.version = random.one(versions)),
  before: (rq, random) => (rq.before = random.one(["\r\n", "\n", "\r\n\r\n", "\r", " ", "\0", "\xef\xbb\xbf"])),
  chunkSize: (rq, random) => inChunks(rq, (body) => (body.size[random.below(body.size.length)] = random.one(sizes))),
  chunkEnd: (rq, random) => inChunks(rq, (body) => (body.ends[random.below(body.ends.length)] = random.one([...lineEnds, "x\r\n"]))),
  chunkSizeEnd: (rq, random) => inChunks(rq, (body) => ((body.sizeEnds = [])[random.below(body.size.length)] = random.one(lineEnds))),
  lastChunk: (rq, random) => inChunks(rq, (body) => (body.last = random.one(lasts))),
  lastEnd: (rq, random) => inChunks(rq, (body) => (body[random.one(["lastEnd", "end"])] = random.one(lineEnds))),
  trailer: (rq, random) => inChunks(rq, (body) => (body.trailer = random.one(trailers))),
  chunksInstead: (rq, random) => (rq.body = chunked(random.one(["hello", "", "0"]))),
  hidden: (rq, random, id) => (typeof rq.body === "string" ? (rq.body += inner(id)) : (rq.body.end += inner(id))),
};

function replaceHeader(rq, name, value) {
  const at = rq.headers.findIndex((header) => header.startsWith(name));
  if (at < 0) rq.headers.push(`${name}: ${value}`);
  else rq.headers[at] = `${name}: ${value}`;
}

function inChunks(rq, change) {
  if (typeof rq.body === "string") {
    rq.headers = rq.headers.filter((header) => !header.startsWith("Content-Length"));
    rq.headers.push("Transfer-Encoding: chunked");
    rq.body = chunked(rq.body || "hello");
  }
  if (rq.body.size.length === 0) rq.body = chunked("hello");
  change(rq.body);
}

// And of the bytes as they stand.
const byteMutations = {
  byteIn: (text, random) => insert(text, spot(random, text), random.one(bytes)),
  byteOut: (text, random) => cutOut(text, random.below(text.length)),
  byteOther: (text, random) => replaceAt(text, random.below(text.length), random.one(bytes)),
  cut: (text, random) => text.slice(0, 1 + random.below(text.length)),
};
const cutOut = (text, at) => text.slice(0, at) + text.slice(at + 1);
const replaceAt = (text, at, piece) => text.slice(0, at) + piece + text.slice(at + 1);

/** The case of this number: {id, bytes, how}. Its bytes end with a request that is sound and closes the connection. */
export function makeCase(seed, number) {
  const random = draws((seed ^ Math.imul(number + 1, 0x9e3779b1)) >>> 0);
  const id = (((seed + number * 7919) >>> 0).toString(16) + "00000000").slice(0, 8);
  const request = valid(random, id);
  const how = [];
  const parts = Object.keys(mutations);
  for (let left = random.one([0, 1, 1, 1, 1, 1, 1, 2, 2, 3]); left > 0; --left) {
    const name = random.one(parts);
    how.push(name);
    if (request.headers.length > 0) mutations[name](request, random, id);
  }
  let text = render(request);
  if (random.chance(how.length === 0 ? 0.8 : 0.15)) {
    const name = random.one(Object.keys(byteMutations));
    how.push(name);
    text = byteMutations[name](text, random);
  }
  const last = `GET /webapi/end/${id} HTTP/1.1\r\nHost: ${host}\r\nAPI-KEY: sandbox\r\nX-Case: ${id}\r\nConnection: close\r\n\r\n`;
  return { number, id, how: how.join("+") || "valid", bytes: text + last };
}
