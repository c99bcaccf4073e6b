// SPDX-License-Identifier: Apache-2.0
// Where a bare address in a sentence ends. Korean, Japanese and Chinese put no blank between it and what follows: such
// letters right behind a host end it, or it would lead to another host. In a path they belong to it only where a part of
// it begins with them: wiki/東京, but not page입니다. docs/search.md has the examples. Pure.

const longest = 2000;
const candidate = /https?:\/\/[^\s<>"'`“”‘’…—\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]{1,2000}/iy;
const unspaced = /[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc]/;
const delimiter = /[/?#&=._~%+,;:@!$*()[\]|-]/;
// The top level names in these letters that people write; any other behind a Latin host is the sentence going on.
const ownDomains = /\.(?:한국|닷컴|닷넷|삼성|みんな|コム|ストア|セール|ファッション|クラウド|グーグル|アマゾン|中国|中國|公司|网络|網路|网址|网站|香港|台湾|台灣|世界|在线|商城|手机|我爱你|新加坡|政府|机构|組織機構|购物)$/;
// What a sentence goes on with behind the slash at an address' end.
const particles = /^(?:입니다|이에요|예요|이고|이며|에서|에는|에도|에|으로|로|을|를|은|는|이|가|와|과|의|도|까지|부터|처럼|보다|라고|です|でした|から|まで|より|では|には|への|との|を|に|は|が|の|で|と|へ|も)(?![\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff])/;

// A host of Latin letters ends before the first other one; one that begins with another is taken whole.
function endOfHost(text) {
  const begin = text.indexOf("//") + 2;
  let end = begin;
  while (end < text.length && !/[/?#]/.test(text[end])) ++end;
  const host = text.slice(begin, end);
  const other = host.search(unspaced);
  if (other <= 0) return end;
  const isOwn = host[other - 1] === "." && (ownDomains.test(host) || /\.[a-z]{2,}(?::\d+)?$/i.test(host));
  return isOwn ? end : begin + other;
}

function endOfPath(text, from) {
  let isOwn = false; // this part of the path began with such a letter
  for (let at = from; at < text.length; ++at) {
    if (delimiter.test(text[at])) {
      isOwn = false;
      continue;
    }
    if (!unspaced.test(text[at]) || isOwn) continue;
    if (!delimiter.test(text[at - 1]) || particles.test(text.slice(at, at + 8))) return at;
    isOwn = true;
  }
  return text.length;
}

// Punctuation at the end of an address belongs to the sentence, a closing parenthesis only when one was opened.
function withoutTail(text) {
  let end = text.length;
  let missing = 0; // parentheses that were closed and not opened
  for (const c of text) missing += c === ")" ? 1 : c === "(" ? -1 : 0;
  for (; end > 8 && /[.,:;!?)\]*_~]/.test(text[end - 1]); --end) {
    if (text[end - 1] !== ")") continue;
    if (missing <= 0) break;
    --missing;
  }
  return text.slice(0, end);
}

/** The address that begins here; none where there is none. */
export function addressAt(text, at) {
  candidate.lastIndex = at;
  const found = candidate.exec(text)?.[0].slice(0, longest);
  if (!found) return null;
  const host = endOfHost(found);
  const address = withoutTail(/[/?#]/.test(found[host] ?? "") ? found.slice(0, endOfPath(found, host)) : found.slice(0, host));
  return /^https?:\/\/[^/?#]/i.test(address) ? address : null;
}
