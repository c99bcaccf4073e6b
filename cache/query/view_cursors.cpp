// SPDX-License-Identifier: Apache-2.0
#include "cache/query/view_cursors.hpp"

#include "cache/db/chat_text_key.hpp"
#include "cache/rows/conversation_rows.hpp"

namespace alli::cache {
namespace {

constexpr int conversations_a_piece = 100, keys_a_piece = 500;

class ConversationCursor final : public ViewCursor {
  public:
    ConversationCursor(ViewSource& source, const ViewSelection& selection)
        : source_(source), all_(!selection.conversation)
    {
        if (all_) return;
        if (auto row = find_conversation_row(source_.read(), ConversationId{*selection.conversation}))
            rows_.push_back(std::move(*row));
    }

    bool next() override
    {
        if (done_ == rows_.size() && all_) {
            rows_ = load_conversation_rows(source_.read(), after_, conversations_a_piece);
            done_ = 0;
        }
        if (done_ == rows_.size()) return false;
        ++done_;
        return true;
    }
    ViewValue value(std::size_t column) const override { return conversation_value(rows_[done_ - 1], column); }

  private:
    ViewSource& source_;
    bool all_;
    std::int64_t after_ = 0;
    std::vector<ConversationRow> rows_;
    std::size_t done_ = 0; // the row before it is the current one
};

class ChatCursor final : public ViewCursor {
  public:
    ChatCursor(ViewSource& source, const ViewSelection& selection)
        : source_(source), id_(selection.chat), all_(!selection.conversation && !selection.chat),
          texts_(selection.texts || selection.chat)
    {
        if (selection.conversation)
            add_conversation(ConversationId{*selection.conversation});
        else if (selection.chat)
            ranges_ = source_.find_chats(*selection.chat);
    }

    bool next() override
    {
        do {
            while (done_ == chats_.size())
                if (!load_next()) return false;
            ++done_;
        } while (id_ && chat().chat().id != *id_); // another id of that hash, or another chat by now
        return true;
    }
    ViewValue value(std::size_t column) const override { return chat_value(chat(), column); }
    const ViewChat& chat() const { return chats_[done_ - 1]; }

  private:
    void add_conversation(const ConversationId& id)
    {
        if (const auto key = find_pk(source_.read(), id)) ranges_.push_back({{*key, id}, 0, chats_a_conversation});
    }

    bool load_next()
    {
        chats_.clear(); // they refer to their range
        done_ = 0;
        while (range_ < ranges_.size() && ranges_[range_].from >= ranges_[range_].to) ++range_;
        if (range_ == ranges_.size() && !list_next()) return false;
        chats_ = load_piece(source_.read(), ranges_[range_], texts_);
        return true;
    }

    bool list_next()
    {
        ranges_.clear();
        range_ = 0;
        if (!all_) return false;
        for (Keyed& one : list_keys(source_.read(), after_, keys_a_piece)) {
            after_ = one.key;
            ranges_.push_back({std::move(one), 0, chats_a_conversation});
        }
        return !ranges_.empty();
    }

    ViewSource& source_;
    std::optional<std::string> id_;
    bool all_, texts_;
    std::int64_t after_ = 0;
    std::vector<ChatRange> ranges_;
    std::size_t range_ = 0;
    std::vector<ViewChat> chats_;
    std::size_t done_ = 0;
};

class CitationCursor final : public ViewCursor {
  public:
    CitationCursor(ViewSource& source, const ViewSelection& selection) : chats_(source, selection) {}

    bool next() override
    {
        while (done_ == citations_.size()) {
            if (!chats_.next()) return false;
            citations_ = read_citations(chats_.chat());
            done_ = 0;
        }
        ++done_;
        return true;
    }
    ViewValue value(std::size_t column) const override
    {
        return citation_value(chats_.chat(), citations_[done_ - 1], column);
    }

  private:
    ChatCursor chats_;
    std::vector<ViewCitation> citations_;
    std::size_t done_ = 0;
};

} // namespace

std::unique_ptr<ViewCursor> conversations_of(ViewSource& source, const ViewSelection& selection)
{
    return std::make_unique<ConversationCursor>(source, selection);
}

std::unique_ptr<ViewCursor> chats_of(ViewSource& source, const ViewSelection& selection)
{
    return std::make_unique<ChatCursor>(source, selection);
}

std::unique_ptr<ViewCursor> citations_of(ViewSource& source, const ViewSelection& selection)
{
    return std::make_unique<CitationCursor>(source, selection);
}

} // namespace alli::cache
