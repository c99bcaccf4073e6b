-- Figures of days, kept until a row of the day changes (cache/insights/rollup_days.hpp). Days that are not kept are
-- listed, so that all days are known.

CREATE TABLE insight_day (
    day  INTEGER PRIMARY KEY, -- since 1970, UTC
    body BLOB NOT NULL        -- cache/insights/rollup.hpp, compressed
);
CREATE TABLE insight_stale (
    day INTEGER PRIMARY KEY
);
CREATE TABLE insight_key ( -- the groups that figures name by number
    number   INTEGER PRIMARY KEY,
    of_group INTEGER NOT NULL, -- 1 app, 2 category, 3 user, 4 channel
    key      TEXT NOT NULL,
    UNIQUE (of_group, key)
);
INSERT INTO insight_stale (day)
    SELECT (t - ((t % 86400000000 + 86400000000) % 86400000000)) / 86400000000
    FROM (SELECT sent_at AS t FROM chat_row UNION ALL SELECT created_at FROM conversation) WHERE t IS NOT NULL
    GROUP BY 1;

-- Chats without a time are in no day.
CREATE INDEX chat_timeless ON chat_row (place) WHERE sent_after IS NULL;
