// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/after_cut.hpp"

#include "cache/db/migrate.hpp"
#include "cache/outbox/outbox_identity.hpp"

#include <filesystem>

namespace alli::powercut {
namespace {

using Refuted = std::optional<std::string>;

class Check {
  public:
    Check(const std::string& directory, const Stage& stage, std::size_t calls, Tally& tally)
        : directory_(directory), stage_(stage), calls_(calls), tally_(tally)
    {}

    // Of a purge that was cut short the opening erases the rest: what the file itself held is looked at before.
    Refuted look_before_opening()
    {
        const std::string path = directory_ + "/mirror.db";
        if (!std::filesystem::exists(path)) return std::nullopt;
        cache::Writer db(path);
        for (const cache::Row row : db.query("PRAGMA user_version"))
            if (row.integer(0) != static_cast<std::int64_t>(cache::mirror_schema.steps.size())) return std::nullopt;
        return named("mirror.db, not opened yet", stage_.mirror.refute(calls_, content_of_mirror(db), false));
    }

    Refuted look(const Workload& workload)
    {
        cache::Store store(stage_.options_for(directory_));
        ++tally_.openings;
        if (!workload.tells)
            for (const std::string& damage : store.damage()) return "the opening says: " + damage;
        if (auto wrong = store.read_outbox(&quick_check)) return wrong;
        if (auto wrong = store.read(&quick_check)) return wrong;
        ++tally_.checks;
        if (auto wrong = compare(store, workload)) return wrong;
        ++tally_.checks;
        if (auto wrong = stage_.refute_promises(store, calls_)) return wrong;
        ++tally_.checks;
        if (auto wrong = hold_claims(store)) return wrong;
        return accept_another(store);
    }

  private:
    static Refuted quick_check(cache::Reader& db)
    {
        for (const cache::Row row : db.query("PRAGMA quick_check(1)"))
            if (row.text(0) != "ok") return fmt::format("{}: {}", db.path(), row.text(0));
        return std::nullopt;
    }

    static Refuted named(const char* what, const Refuted& wrong)
    {
        return wrong ? Refuted(fmt::format("{}: {}", what, *wrong)) : std::nullopt;
    }

    Refuted compare(cache::Store& store, const Workload& workload)
    {
        if (auto wrong = named("outbox.db", stage_.outbox.refute(calls_, store.read_outbox(&content_of_outbox), true)))
            return wrong;
        if (workload.erases) return std::nullopt;
        return named("mirror.db", stage_.mirror.refute(calls_, store.read(&content_of_mirror), false));
    }

    Refuted hold_claims(cache::Store& store)
    {
        for (const Stage::Claimed& claim : stage_.claims)
            if (claim.calls <= calls_) {
                ++tally_.checks;
                if (auto wrong = claim.holds(directory_, store)) return wrong;
            }
        return std::nullopt;
    }

    // Under a number that none of them has.
    Refuted accept_another(cache::Store& store)
    {
        cache::NewEntry entry;
        entry.conversation = ConversationId{"c1"};
        entry.method = "PUT", entry.path = "/x", entry.headers = "{}", entry.body = "{}";
        entry.upstream_key = "key of another", entry.request_hash = "h";
        const auto last = store.read_outbox([](cache::Reader& db) { return cache::last_outbox_number(db); });
        std::int64_t id = 0;
        sync_wait(store.write_outbox([&](cache::Writer& db) { id = cache::accept(db, entry).id; }));
        ++tally_.checks;
        return id > last ? std::nullopt : Refuted("a number was given out twice");
    }

    const std::string& directory_;
    const Stage& stage_;
    std::size_t calls_;
    Tally& tally_;
};

} // namespace

std::optional<std::string> refute_remains(const std::string& directory, const Stage& stage, const Workload& workload,
                                          std::size_t calls, Tally& tally)
{
    try {
        Check check(directory, stage, calls, tally);
        if (workload.erases)
            if (auto wrong = check.look_before_opening()) return wrong;
        return check.look(workload);
    } catch (const std::exception& error) {
        return fmt::format("it cannot be opened: {}", error.what());
    }
}

} // namespace alli::powercut
