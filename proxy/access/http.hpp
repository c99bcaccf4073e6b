// SPDX-License-Identifier: Apache-2.0
// The names of http/ that this room uses unqualified.
#pragma once

#include "http/refusal.hpp"
#include "http/response.hpp"
#include "http/target.hpp"

namespace alli::proxy {

using http::Body;
using http::decode_segment;
using http::origin_form;
using http::Parameter;
using http::read_query;
using http::Refusal;
using http::Refused;
using http::split_path;
using http::split_target;

} // namespace alli::proxy
