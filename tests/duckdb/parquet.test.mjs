// SPDX-License-Identifier: Apache-2.0
// The ways of docs/sql.md from the mirror to Parquet, by DuckDB itself: through JSON, through CSV, and through the exported
// SQLite file by DuckDB's extension, where that can be fetched. Each holds the same rows as the exported file.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { start, stop } from "./start.mjs";

const program = process.env.PROGRAM;
const home = mkdtempSync(join(tmpdir(), "alli-duckdb-"));
const at = (name) => join(home, name);
let settings, duckdb, expected;

const run = (...words) => execFileSync(program, words, { env: { PATH: process.env.PATH, ...settings }, stdio: ["ignore", "pipe", "pipe"] });
const rows = async (sql) => (await duckdb.runAndReadAll(sql)).getRowsJson();

// The exported file as Python's SQLite reads it: the third opinion.
function exported(sql) {
  const script = "import json, sqlite3, sys\nprint(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))";
  return JSON.parse(execFileSync("python3", ["-c", script, at("alli.db"), sql]));
}

const columns = "conversation_id, ordinal, sender, time, message, rating";
const inOrder = "ORDER BY conversation_id, ordinal";

before(async () => {
  settings = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
  const sandbox = await start(program, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", "12"], settings, /http:\/\/127\.0\.0\.1:(\d+)/);
  settings = {
    ...settings, ALLI_API_KEY: "sandbox", ALLI_MIRROR_UPSTREAM_URL: `http://127.0.0.1:${sandbox.found[1]}`,
    ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND: "0", ALLI_MIRROR_MIRROR_PATH: at("mirror.db"),
  };
  run("sync");
  await stop(sandbox);
  run("export", "--format", "sqlite", "--output", at("alli.db"));
  expected = exported(`SELECT ${columns} FROM v_chat ${inOrder}`);
  assert.ok(expected.length > 12);
  duckdb = await (await DuckDBInstance.create(":memory:")).connect();
});
after(() => rmSync(home, { recursive: true, force: true }));

async function holdsTheSame(parquet) {
  const found = await rows(`SELECT conversation_id, ordinal::INTEGER, sender, strftime(time AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), message, rating
                            FROM '${parquet}' ${inOrder}`);
  assert.deepEqual(found, expected);
}

test("JSON becomes Parquet", async () => {
  run("query", `SELECT ${columns} FROM v_chat`, "--json", "--output", at("chats.json"));
  await duckdb.run(`COPY (SELECT * REPLACE (time AT TIME ZONE 'UTC' AS time) FROM read_json('${at("chats.json")}', maximum_object_size = 67108864))
                    TO '${at("json.parquet")}' (FORMAT parquet)`);
  await holdsTheSame(at("json.parquet"));
});

test("CSV becomes Parquet", async () => {
  run("query", "SELECT * FROM v_daily", "--csv", "--output", at("daily.csv"));
  await duckdb.run(`COPY (SELECT * FROM '${at("daily.csv")}') TO '${at("daily.parquet")}' (FORMAT parquet)`);
  const days = await rows(`SELECT strftime(day, '%Y-%m-%d'), app_id, conversations::INTEGER, messages::INTEGER, good::INTEGER, bad::INTEGER
                           FROM '${at("daily.parquet")}' ORDER BY ALL`);
  assert.deepEqual(days, exported("SELECT * FROM v_daily ORDER BY 1, 2"));
});

test("the exported SQLite file becomes Parquet", async (t) => {
  try {
    await duckdb.run("INSTALL sqlite; LOAD sqlite");
  } catch (error) {
    return t.skip(`DuckDB's extension for SQLite cannot be fetched: ${String(error).split("\n")[0]}`);
  }
  await duckdb.run(`COPY (SELECT * REPLACE (time::TIMESTAMPTZ AS time) FROM sqlite_scan('${at("alli.db")}', 'v_chat')) TO '${at("sqlite.parquet")}' (FORMAT parquet)`);
  await holdsTheSame(at("sqlite.parquet"));
});
