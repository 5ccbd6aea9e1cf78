// The contract suites live in lab/contract, and ship. These are their names as tests in net know them.
#pragma once

#include "pipette/lab/contract/transport.h"

namespace pipette::net {
using lab::case_name;
using lab::fails_with;
using lab::gives;
using lab::Transport;
using lab::TransportCase;
using lab::Wake;
}  // namespace pipette::net
