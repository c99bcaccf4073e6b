// SPDX-License-Identifier: Apache-2.0
// From a request to an answer: the key, the scripted faults, the operation, the error shapes, the journal. One mutex
// guards all of it, because tests reach in from their own threads while the server's thread answers.
#pragma once

#include "sandbox/faults.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/life.hpp"
#include "sandbox/model.hpp"
#include "sandbox/routes.hpp"
#include "sandbox/server.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace alli::sandbox {

class Service final : public Responder {
  public:
    /// Builds its data. Throws Error{settings} for a corpus that cannot be read.
    explicit Service(Options options);

    Strike strike(const Call& call) override;
    Answer answer(Call call, const Strike& strike) override;
    std::string date() const override;

    /// Runs `work(World&, Journal&)` with nobody else at it.
    template <class Work>
    auto alone(Work work)
    {
        const std::lock_guard lock{mutex_};
        return work(world_, journal_);
    }

    void set_faults(std::vector<FaultRule> rules);
    void set_life(std::vector<LifeRule> rules);
    void on_answer(std::function<void(const RequestRecord&)> hook);
    void set_api_key(std::string key);
    void set_read_lag(std::chrono::milliseconds lag);

  private:
    bool authorized(const Call& call) const;
    Instant header_time() const; // what the Date header says
    Answer work_out(const Match& match, const Call& call);
    std::pair<Answer, RequestRecord> answer_alone(Call call, const Strike& strike);

    const Options options_;
    mutable std::mutex mutex_;
    std::string api_key_;
    Faults faults_;
    Journal journal_;
    World world_;
    ReadLag lag_;
    Life life_;
    Runs runs_;
    std::shared_ptr<const std::function<void(const RequestRecord&)>> hook_;
};

} // namespace alli::sandbox
