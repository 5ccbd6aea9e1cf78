// The contract of net/listener.h and net/network.h, each rule stated once as a test (see transport.h).
#pragma once

#include "tests/net/transport.h"

namespace pipette::net {

class ListenerContract : public TransportTest {};

}  // namespace pipette::net
