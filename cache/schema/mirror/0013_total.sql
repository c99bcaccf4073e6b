-- How much is held, kept and not counted: status and metrics ask for it every few seconds.

CREATE TABLE total ( -- one row
    conversations INTEGER NOT NULL,
    chats         INTEGER NOT NULL
);
INSERT INTO total SELECT count(*), coalesce(sum(held), 0) FROM conversation;

CREATE TRIGGER conversation_comes AFTER INSERT ON conversation BEGIN
    UPDATE total SET conversations = conversations + 1, chats = chats + new.held;
END;
CREATE TRIGGER conversation_goes AFTER DELETE ON conversation BEGIN
    UPDATE total SET conversations = conversations - 1, chats = chats - old.held;
END;
CREATE TRIGGER conversation_grows AFTER UPDATE OF held ON conversation WHEN new.held <> old.held BEGIN
    UPDATE total SET chats = chats + new.held - old.held;
END;
