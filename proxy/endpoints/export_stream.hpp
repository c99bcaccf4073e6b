// SPDX-License-Identifier: Apache-2.0
// The pieces of an export, as a body that is taken piece by piece. Lives on one loop, reads on a thread for long reads.
#pragma once

#include "alli/source.hpp"
#include "cache/export/export_format.hpp"
#include "cache/export/export_list.hpp"
#include "cache/store.hpp"
#include "proxy/access/grant.hpp"

#include <memory>

namespace alli::proxy {

class ExportStream : public Source {
  public:
    struct What {
        const cache::ExportFormat& format;
        cache::ExportStyle style;
        bool bom = false;
    };
    ExportStream(cache::Store& store, const Clock& clock, What what, cache::ExportList list,
                 std::shared_ptr<const Grant> grant, cache::Visibility seen);

    /// Throws Error{canceled} once who asked is no longer let in: the body breaks off rather than seem whole.
    Task<std::optional<std::string>> next() override;

  private:
    bool add(cache::Reader& db, std::string& out);
    bool begin_next(cache::Reader& db, std::string& out);

    struct Current { // the conversation that is being written
        ConversationId id;
        cache::ExportHead head;
        std::int64_t first = 0; // of its chats that were not written yet
    };

    cache::Store& store_;
    const Clock& clock_;
    What what_;
    cache::ExportList list_;
    std::shared_ptr<const Grant> grant_;
    cache::Visibility seen_;
    std::vector<ConversationId> waiting_; // the next one last
    std::optional<Current> current_;
    bool begun_ = false, ended_ = false;
};

} // namespace alli::proxy
