-- There is one search index: one of another version is dropped and rebuilt (docs/decisions/0024). An index that was half
-- made beside an old one is begun again, because rows of word_moved are in it already.

UPDATE word_index SET version = -1 WHERE EXISTS (SELECT 1 FROM word_index WHERE bound IS NOT NULL);
DROP TABLE IF EXISTS old_chat_words;
DROP TABLE IF EXISTS old_chat_letters;
DROP TABLE IF EXISTS old_conversation_words;
DROP TABLE word_moved;
