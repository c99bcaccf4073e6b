// SPDX-License-Identifier: Apache-2.0
// A sandbox, a switch between it and a mirror, the mirror, and a browser. Ports are free ones; ended by end().
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { start, stop } from "./start.mjs";

export const hostile = [
  '<script>window.caught = 1</script><img src="http://evil.test/i.png" onerror="window.caught = 1">',
  "[press me](javascript:window.caught=1) [file](file:///etc/passwd) [out](https://example.com/a)",
  "![pixel](http://evil.test/pixel.png) <svg onload=window.caught=1>",
  "\u202egnp.exe\u202c \u2066turned\u2069 <iframe src=http://evil.test>",
].join("\n\n");

/** What people write that is no Markdown, or only looks like it. */
export const written = [
  "2026. 1. 5. 회의\n2026. 1. 6. 출장\n2026. 2. 7. 휴가",
  "상자는 10*20*30cm, 홍*동 고객, (*^^*)",
  "3. third\n7) seventh\n- minus",
  "https://example.com입니다. https://ja.wikipedia.org/wiki/東京 AT&amp;T",
].join("\n\n");
export const longCode = Array.from({ length: 400 }, (_, i) => `row_${i} = a * b * c  # **${i}**`).join("\n");

const turn = (text, i) => ({ sender: i % 2 ? "BOT" : "USER", text, rating: null });
const dialogue = (lang, key, texts) => JSON.stringify({ lang, source: "test", key, turns: texts.map(turn) });
const corpus = [
  dialogue("en", "en", ["Where is the lighthouse?", "The **lighthouse** is by the harbour."]),
  dialogue("ko", "ko", ["바다 여행을 가고 싶어요", "좋아요, 여행지를 찾아볼게요."]),
  dialogue("ja", "ja", ["静かな温泉宿を探しています", "温泉のある宿をご案内します。"]),
  dialogue("en", "hostile", ["hostilequestion please", `hostileanswer\n\n${hostile}`, `megabyte ${"x".repeat(50)} ${"long words ".repeat(95_000)}`]),
  dialogue("ko", "written", ["writtenword 보여 주세요", `writtenanswer\n\n${written}`]),
  dialogue("en", "code", ["codequestion", `Here:\n\n\`\`\`py\n${longCode}\n\`\`\`\n\nThe deepneedle is *here*.`]),
  dialogue("en", "marks", ["marksquestion", "A café where they don’t concatenate, and con**cat**enate **여**행."]),
  dialogue("ko", "paper", Array.from({ length: 300 }, (_, i) => `paperline ${i}: 종이에 적힌 말 ${i}`)),
  dialogue("en", "long", Array.from({ length: 10_000 }, (_, i) => (i === 4321 ? "the needleword is here" : `line ${i} of a long talk`))),
];

/** What goes upstream passes here, until it is cut. */
async function makeSwitch(port) {
  const open = new Set();
  let cut = false;
  const server = net.createServer((from) => {
    if (cut) return from.destroy();
    const to = net.connect(port, "127.0.0.1");
    for (const [one, other] of [[from, to], [to, from]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => (open.delete(one), other.destroy()));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const set = (value) => {
    cut = value;
    if (cut) for (const socket of open) socket.destroy();
  };
  return { port: server.address().port, cut: () => set(true), mend: () => set(false), close: () => (set(true), server.close()) };
}

/** `more`: settings over those of a mirror that asks for no key; `rated`: more dialogues, [key, [[text, rating], ...], seconds since the last]. */
export async function makeWorld(more = {}, rated = []) {
  const home = mkdtempSync(join(tmpdir(), "alli-page-"));
  const file = join(home, "corpus.jsonl");
  const all = [...corpus, ...rated.map(([key, turns, age]) => JSON.stringify({ lang: "en", source: "test", key, age, turns: turns.map(([text, rating], i) => ({ ...turn(text, i), rating })) }))];
  writeFileSync(file, all.join("\n") + "\n");
  const program = process.env.PROGRAM;
  const places = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
  const sandbox = await start(program, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", String(all.length), "--corpus", file], places, /http:\/\/127\.0\.0\.1:(\d+)/);
  const wire = await makeSwitch(Number(sandbox.found[1]));
  const settings = {
    ALLI_API_KEY: "sandbox", ALLI_MIRROR_UPSTREAM_URL: `http://127.0.0.1:${wire.port}`, ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND: "0", ALLI_MIRROR_MIRROR_PATH: join(home, "mirror.db"),
    ALLI_MIRROR_PROXY_LISTEN: `127.0.0.1:0,unix:${join(home, "proxy.sock")}`, ALLI_MIRROR_PROXY_AUTH: "none", ALLI_MIRROR_SYNC_INTERVAL: "1s", ALLI_MIRROR_PROXY_FORWARD_TIMEOUT: "1s", ...more,
  };
  const mirror = await start(program, ["serve"], { ...places, ...settings }, /listens on 127\.0\.0\.1:(\d+)/);
  const base = `http://127.0.0.1:${mirror.found[1]}`;
  for (let done = false; !done; ) {
    const { mirror: state } = await (await fetch(`${base}/mirror/v1/status`, { headers: { "API-KEY": "sandbox" } })).json();
    done = state.complete;
    if (!done) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  return {
    base, browser, home, wire,
    upstream: `http://127.0.0.1:${sandbox.found[1]}`, // past the switch
    /** A command of the program in the same home: what it prints. */
    run: (...args) => execFileSync(program, args, { env: { ...places, ...settings }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    async end() {
      await browser.close();
      for (const one of [mirror, sandbox]) await stop(one);
      wire.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
