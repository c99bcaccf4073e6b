// SPDX-License-Identifier: Apache-2.0
// What a web app's server does with the service, by fetch, and what a proxy in front of a browser passes on: node
// client.mjs BASE. Prints a line of JSON for each answer.
import { setTimeout as pause } from "node:timers/promises";

const base = process.argv[2];
const root = `${base}/webapi/v2/conversations`;
const key = { "API-KEY": "sandbox" };
// As the browser sent them to the app's own server.
const passed_on = {
  ...key, Origin: "https://app.example.com", Referer: "https://app.example.com/chat", Cookie: "session=of-the-app",
  "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "app.example.com", "X-Forwarded-Proto": "https",
  "Accept-Language": "ko,en;q=0.8", "User-Agent": "Mozilla/5.0",
};

async function tell(name, url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { ...key, ...options.headers } });
  const body = await answer.text();
  console.log(JSON.stringify({ case: name, status: answer.status, type: answer.headers.get("Content-Type") ?? "", body }));
  return answer.ok && body ? () => JSON.parse(body) : () => ({});
}

const json = (method, body, headers = {}) => ({ method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
const of = (id, rest = "") => `${root}/${encodeURIComponent(id)}${rest}`;

// --- lists
const everything = [];
const query = new URLSearchParams({ pageSize: "19" });
for (let page = 0; page < 20; page++) {
  const { conversations, cursor } = (await tell(`page ${page}`, `${root}?${query}`))();
  everything.push(...conversations);
  if (!cursor) break;
  query.set("cursor", cursor);
}
const users = [...new Set(everything.map((one) => one.user?.userId).filter(Boolean))].sort();
const several = new URLSearchParams(users.slice(0, 3).map((user) => ["userIds", user]));
await tell("several users", `${root}?${several}`);
await tell("variables one by one", `${root}?variables=plan&variables=visits&pageSize=5`);
await tell("a term", `${root}?${new URLSearchParams({ searchTerm: "温泉", pageSize: "5" })}`);
await tell("a parameter that breaks caches", `${root}?pageSize=3&_=${Date.now()}`);
await tell("an empty filter", `${root}?pageSize=3&llmAppId=`);
await tell("a filter of later", `${root}?${new URLSearchParams({ "appIds[]": "x", pageSize: "4" })}`);

// --- one
const odd = everything.find((one) => one.id.includes("+") && one.id.includes("/")).id;
const long = everything.reduce((a, b) => (a.chatCount >= b.chatCount ? a : b)).id;
await tell("an id, encoded", of(odd));
await tell("an id as it is, but for the slash", `${root}/${odd.replaceAll("/", "%2F")}`);
await tell("variables one by one, of one", `${of(long)}?variables=plan&variables=visits`);
await tell("variables in one value, of one", `${of(long)}?variables=plan,visits`);
const { chats } = (await tell("chats", of(long, "/chats?pageNo=1")))();
await tell("chats of a page", of(long, "/chats?pageNo=2"));
await tell("a chat", of(long, `/chats/${encodeURIComponent(chats[0].id)}`));
await tell("no such conversation", of("none"));
await tell("the head of one", of(long), { method: "HEAD" });
await tell("without a key", of(long), { headers: { "API-KEY": "" } });

// --- through a proxy that passes the browser's headers on
const app = encodeURIComponent((await tell("apps", `${base}/webapi/v2/apps`, { headers: passed_on }))().apps[1].id);
await tell("a list, passed on", `${root}?pageSize=4`, { headers: passed_on });
await tell("a title, passed on", of(everything[2].id, "/title"), json("PUT", { title: "by a web app" }, passed_on));
await tell("titled", of(everything[2].id), { headers: passed_on });
await tell("an answer, passed on", `${base}/webapi/v2/apps/${app}/generative_answer`, json("POST", { query: "hours" }, passed_on));
const run = `${base}/webapi/apps/${app}/run`;
const user = { ...passed_on, "OWN-USER-ID": "base64:7Jes7ZaJ7J6Q" };
const begun = await tell("a run, passed on", run, json("POST", { mode: "background", chat: { message: "배경에서 ".repeat(40) } }, user));
const talk = begun().result.conversation.id;
while ((await (await fetch(of(talk, "/running"), { headers: passed_on })).json()).isRunning) await pause(40);
await tell("after the run", of(talk, "/chats"), { headers: passed_on });
await tell("the list after the run", `${root}?pageSize=1`, { headers: passed_on });

// --- a stream that is read as it comes, and one that is left
async function read_stream(name, options, leave) {
  const gone = new AbortController();
  const answer = await fetch(run, { ...options, headers: { ...key, ...options.headers }, signal: gone.signal });
  let body = "";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let pieces = 0; ; pieces++) {
    const { done, value } = await reader.read();
    if (done || (leave && pieces > 1)) break;
    body += value;
  }
  if (leave) return gone.abort();
  console.log(JSON.stringify({ case: name, status: answer.status, type: answer.headers.get("Content-Type"), body }));
}
await read_stream("a stream", json("POST", { mode: "stream", conversationId: talk, chat: { message: "조각조각 ".repeat(30) } }));
await tell("after the stream", of(talk, "/chats"));
await read_stream("", json("POST", { mode: "stream", conversationId: talk, chat: { message: "left in the middle" } }), true);
while ((await (await fetch(of(talk, "/running"), { headers: key })).json()).isRunning) await pause(40);
await tell("after one that was left", of(talk, "/chats"));

// --- a form with files
const form = new FormData();
form.append("json", new Blob([JSON.stringify({ conversationId: talk, chat: { message: "with files" } })], { type: "application/json" }));
form.append("document", new Blob(["a page of text\r\n".repeat(2000)]), "문서.txt");
form.append("picture", new Blob([new Uint8Array(70_000).map((_, i) => i)]), "picture.png");
await tell("run_conversation", `${base}/webapi/v2/apps/${app}/run_conversation`, { method: "POST", body: form });
await tell("after run_conversation", of(talk, "/chats"));
await tell("the conversation", of(talk));
