-- What is kept of a day has a row a conversation now (cache/insights/rollup.hpp), so that figures of chosen conversations
-- are added up, too. Days that were kept as before are counted again, one by one, as those are that changed.

INSERT OR IGNORE INTO insight_stale (day) SELECT day FROM insight_day;
DELETE FROM insight_day;
