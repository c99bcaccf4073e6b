# SPDX-License-Identifier: Apache-2.0
"""What a program in Python does with the service, by `requests`: client.py BASE. Prints a line of JSON for each answer."""
import json
import sys
import time
from urllib.parse import quote

import requests

base = sys.argv[1]
session = requests.Session()
session.headers["API-KEY"] = "sandbox"
root = base + "/webapi/v2/conversations"


def tell(name, answer):
    print(json.dumps({"case": name, "status": answer.status_code, "type": answer.headers.get("Content-Type", ""), "body": answer.text}))
    return answer


def get(name, url, **more):
    return tell(name, session.get(url, timeout=30, **more))


def post(name, url, **more):
    return tell(name, session.post(url, timeout=30, **more))


def content(answer):
    """Of an answer about one thing, which some deployments wrap."""
    body = answer.json()
    return body.get("result", body)


def of(conversation, rest=""):
    return f"{root}/{quote(conversation, safe='')}{rest}"


# --- lists
first = get("the newest", root, params={"pageSize": 10}).json()
everything = []
cursor = None
for page in range(20):
    params = {"pageSize": 13, "order": "LAST_CHAT_TIME_ASC"}
    if cursor:
        params["cursor"] = cursor
    got = get(f"page {page}", root, params=params).json()
    everything += got["conversations"]
    cursor = got["cursor"]
    if cursor is None:
        break
users = sorted({one["user"]["userId"] for one in everything if one["user"] and one["user"]["userId"]})
app = next(one["llmApp"]["id"] for one in everything if one["llmApp"])
dated = [one for one in everything if one["lastChatTime"]]
early, late = dated[len(dated) // 3]["lastChatTime"], dated[2 * len(dated) // 3]["lastChatTime"]
for name, params in {
    "several users": {"userIds": users[:3]},
    "users in one value": {"userIds": ",".join(users[:3])},
    "of an app": {"llmAppId": app},
    "active ones": {"activeOnly": "true"},
    "a window": {"startedAt": early, "endAt": late},
    "by creation": {"order": "CREATED_AT_ASC", "pageSize": 20},
    "a term": {"searchTerm": "e", "pageSize": 5},
    "a term in another script": {"searchTerm": "여행"},
    "a filter of later": {"appIds": app},
    "another filter of later": {"userIds[]": users[0]},
    "an order of later": {"order": "MODIFIED_AT_DESC"},
    "no number": {"pageSize": "many"},
    "too many": {"pageSize": 51},
    "nothing": {"userIds": "nobody"},
    "variables": {"variables": ["plan", "visits"], "pageSize": 7},
    "those that run": {"backgroundRunning": "true"},
}.items():
    get(name, root, params=params)

categories = get("categories", base + "/webapi/v2/conversation_categories").json()["categories"]
for category in categories[:3]:
    get("of a category", root, params={"categoryId": category["categoryId"]})
    get("of a category, in a window", root, params={"categoryId": category["categoryId"], "startedAt": early, "endAt": late})
get("of no category", root, params={"categoryId": "none"})

# --- one
ids = [one["id"] for one in everything]
odd = next(one for one in ids if "+" in one and "/" in one)
long = max(everything, key=lambda one: one["chatCount"])["id"]
get("an id, encoded", of(odd))
get("an id as it is, but for the slash", f"{root}/{odd.replace('/', '%2F')}")
get("variables in one value", of(ids[3]), params={"variables": "plan,visits"})
get("variables one by one", of(ids[3]), params={"variables": ["plan", "visits"]})
get("a parameter of later", of(ids[3]), params={"expand": "chats"})
for page in (1, 2, 3, 9):
    get(f"chats {page}", of(long, "/chats"), params={"pageNo": page})
chats = get("chats", of(long, "/chats")).json()["chats"]
get("a chat", of(long, "/chats/" + quote(chats[-1]["id"], safe="")))
get("whether it runs", of(long, "/running"))
get("no such conversation", of("Q29udmVyc2F0aW9uOm5vbmU="))
get("no such chat", of(long, "/chats/none"))
get("days", root + "/daily_count", params={"startDate": "2020-01-01", "endDate": "2020-01-31"})
tell("another method", session.put(root, json={}, timeout=30))
tell("without a key", requests.get(root, timeout=30))
tell("with a bearer", requests.get(of(odd), headers={"Authorization": "Bearer sandbox"}, timeout=30))
tell("as nobody accepts it", requests.get(of(odd), headers={"API-KEY": "sandbox", "Accept-Encoding": "identity"}, timeout=30))

# --- writes, and what reads show behind each
edited = ids[5]
tell("update", session.put(of(edited), json={"state": "CLOSED", "assignee": "a@example.com"}, timeout=30))
get("updated", of(edited))
chosen = [categories[1]["categoryId"], categories[0]["categoryId"]]
tell("into categories", session.put(of(edited), json={"categoryIds": chosen}, timeout=30))
get("in its categories", of(edited))
get("by its new category", root, params={"categoryId": chosen[0]})
tell("title", session.put(of(edited, "/title"), json={"title": "제목 of it"}, timeout=30))
get("titled", root, params={"searchTerm": "제목"})
tell("a title by another method", session.patch(of(edited, "/title"), json={"title": "another"}, timeout=30))
rated = of(long, "/chats/" + quote(chats[-1]["id"], safe=""))
post("rate", rated + "/feedback", json={"rating": True, "feedbackSelection": "good"})
get("rated", rated)
post("rate by a word", rated + "/feedback", json={"rating": "GOOD"})
post("no JSON", rated + "/feedback", data="{", headers={"Content-Type": "application/json"})
post("many", root + "/bulk_update", json={"conversationIds": ids[7:9], "conversationInfo": {"state": "SWEPT"}})
get("one of many", of(ids[8]))
tell("delete", session.delete(of(ids[9]), timeout=30))
get("deleted", of(ids[9]))
post("stop", of(ids[10], "/stop"))

# --- what lives beside
for path in ("v2/projects", "v2/apps?pageSize=2", "apps", "v2/hashtags", "v2/knowledge_bases", "v2/knowledge_bases/kb-3",
             "v2/knowledge_bases/none", "v2/conversation_categories", "v2/nothing"):
    get(path, f"{base}/webapi/{path}")
apps = session.get(base + "/webapi/v2/apps", timeout=30).json()["apps"]
an_app = quote(apps[0]["id"], safe="")
get("an app", f"{base}/webapi/v2/apps/{an_app}")
get("no such app", f"{base}/webapi/v2/apps/none")
post("a generated answer", f"{base}/webapi/v2/apps/{an_app}/generative_answer", json={"query": "체크인 hours"})

# --- runs: run, and read the chats once
run = f"{base}/webapi/apps/{an_app}/run"
talk = None
for mode in ("sync", "background", "sync", "background"):
    body = {"mode": mode, "isStateful": True, "inputs": {}, "chat": {"message": f"{mode} 질문 " + "long " * 60}}
    if talk:
        body["conversationId"] = talk
    talk = post(f"run, {mode}", run, json=body).json()["result"]["conversation"]["id"]
    while mode == "background" and content(session.get(of(talk, "/running"), timeout=30))["isRunning"]:
        time.sleep(0.05)
    get(f"after {mode}", of(talk, "/chats"))
    get(f"the conversation after {mode}", of(talk))
    get(f"the list after {mode}", root, params={"pageSize": 1})
with session.post(run, json={"mode": "stream", "conversationId": talk, "chat": {"message": "in pieces"}}, stream=True, timeout=30) as streamed:
    lines = [line for line in streamed.iter_lines() if line]
print(json.dumps({"case": "run, stream", "status": streamed.status_code, "type": streamed.headers["Content-Type"], "body": b"\n".join(lines).decode()}))
get("after stream", of(talk, "/chats"))
form = {"json": (None, json.dumps({"conversationId": talk, "chat": {"message": "with a file"}}), "application/json"),
        "document": ("a.txt", "words\r\n--of a file" * 500, "text/plain")}
post("run_conversation", f"{base}/webapi/v2/apps/{an_app}/run_conversation", files=form)
get("after run_conversation", of(talk, "/chats"))
post("run_conversation without a form", f"{base}/webapi/v2/apps/{an_app}/run_conversation", json={"chat": {"message": "x"}})
post("run, in no conversation", run, json={"conversationId": "none", "chat": {"message": "x"}})
post("run, by no mode", run, json={"mode": "later", "chat": {"message": "x"}})
post("run, no such app", base + "/webapi/apps/none/run", json={"chat": {"message": "x"}})
