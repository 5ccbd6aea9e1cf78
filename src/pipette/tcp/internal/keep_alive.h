// Probes a peer that is silent, so that one whose machine is gone is noticed: after `interval` of silence, again after
// as long, and when nine probes went unanswered the connection breaks: connection_reset.
//
// A listening socket hands this on to those it accepts.
//
// Units    whole seconds: `interval` is rounded up, and at most 32767, as the kernel has it. Zero and Duration::max()
//          are off.
// Errors   none: a kernel that does not know an option does without.
// Threads  any.
#pragma once

#include "pipette/base/time.h"

namespace pipette::tcp {

// As the kernel's options count: rounded up, at most 32767, and 0 for what is off.
int whole_seconds(Duration duration);

void set_keep_alive(int fd, Duration interval);

}  // namespace pipette::tcp
