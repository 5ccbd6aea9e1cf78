// As tests in net know it (see transport.h).
#pragma once

#include "pipette/lab/contract/blocking_contract.h"

#include "tests/net/transport.h"

namespace pipette::net {
using lab::BlockingContract;
}  // namespace pipette::net
