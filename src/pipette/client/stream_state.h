// What a ResponseStream consists of. Internal to client/.
#pragma once

#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "pipette/async/runnable.h"
#include "pipette/base/buffer.h"
#include "pipette/client/decode.h"
#include "pipette/client/host.h"
#include "pipette/client/response_stream.h"
#include "pipette/client/terms.h"

namespace pipette::client {

struct ResponseStream::State {
  explicit State(Request of) : request(std::move(of)), stopper(*this) {}

  // A stop ends what waits on the connection.
  struct Stopper final : async::Runnable {
    explicit Stopper(State& owner) : state(owner) {}
    void run() override {
      if (state.kept.lease) state.kept.connection().abort();
    }
    State& state;
  };

  // The head is there: from now on the body counts.
  void begin_body(const CallOptions& options) {
    terms.deadline = options.deadline;
    kept.connection().set_terms(terms);
    if (kept.connection().is_complete()) return kept.end();
    options.stop.add(stopper);
    if (asks_for_codings(request, terms)) decoder = decoder_of(response);
  }
  // Of the octets as they come; those that are decoded.
  Task<Result<std::size_t>> read_raw(MutableBytes into);
  Task<Result<std::size_t>> read_decoded(MutableBytes into);

  Request request;
  Response response;
  Terms terms;
  Host::Kept kept;
  std::error_code error;
  std::optional<coding::Decoder> decoder;
  Buffer coded;  // what it has not taken yet
  std::uint64_t decoded_bytes = 0;
  bool has_all = false;  // of what is coded
  Stopper stopper;
};

}  // namespace pipette::client
