// SPDX-License-Identifier: Apache-2.0
#include "cluster/truth.hpp"

namespace alli::cluster {

NotLeader::NotLeader() : Error(Fault::busy, "", "another node leads the cluster") {}

} // namespace alli::cluster
