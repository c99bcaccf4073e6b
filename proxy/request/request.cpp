// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/request.hpp"

#include "proxy/access/http.hpp"

namespace alli::proxy {

std::string_view Request::path() const noexcept
{
    return split_target(target).path;
}
std::string_view Request::query() const noexcept
{
    return split_target(target).query;
}

const Part& Request::part() const noexcept
{
    static const Part whole;
    return principal ? principal->part : whole;
}

ReadSubject subject_of(const Request& rq)
{
    ReadSubject subject{rq.operation, rq.conversation};
    if (rq.operation == OperationId::get_chat) subject.chat = ChatId{rq.ids[1]};
    return subject;
}

} // namespace alli::proxy
