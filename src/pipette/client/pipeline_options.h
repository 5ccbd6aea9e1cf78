// What a PipelineClient may be told.
//
// Of ClientOptions it has no use for those of pools, redirects and cookies. Of retries count max_attempts and retry_if.
//
// Units  durations are std::chrono, and Duration::max() is no limit; sizes end in _bytes.
#pragma once

#include <cstddef>

#include "pipette/base/time.h"
#include "pipette/client/options.h"

namespace pipette::client {

struct PipelineLimits {
  std::size_t max_connections = 1;
  std::size_t max_pending_per_connection = 1024;  // responses that are waited for, also of calls that have ended
  std::size_t max_unsent_bytes = 1024 * 1024;     // a connection with as many takes no call; one call may exceed it
  // How long requests wait for others to leave with, unless there are 64 KiB of them. Those that are made in the same
  // turn of the loop leave together in any case.
  Duration max_batch_delay = Duration::zero();
};

struct PipelineOptions : ClientOptions, PipelineLimits {};

}  // namespace pipette::client
