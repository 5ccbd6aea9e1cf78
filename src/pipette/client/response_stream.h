// ResponseStream: a response whose body is read piece by piece.
//
//   Result<client::ResponseStream> page = co_await client.stream(request);          // its head is there
//   std::array<char, 4096> room;
//   for (Result<std::size_t> size = co_await page->read(room); size && *size > 0; size = co_await page->read(room)) …
//   page->response().trailers                                                       // behind the last piece
//
// Nothing is read before it is asked for, so a server that is faster than its reader waits. It is a BodySource too: a
// request or a response can take its body from it.
//
// The connection goes back to its pool at the end of the body. A stream that dies earlier closes it, unless the rest is
// there already.
//
// Errors    body_timeout between two reads, timed_out at the deadline of the call's options and operation_canceled at
//           their stop; body_too_large beyond their max_response_body_bytes, end_of_stream, connection_reset, and the
//           message rows of Errc. After one, each read repeats it. What the request's body source throws.
// Lifetime  the client outlives it; one read at a time, and none when it dies or is moved.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/call_options.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/http/message_writer.h"
#include "pipette/net/body_source.h"

namespace pipette::client {

class ResponseStream final : public BodySource {
 public:
  ResponseStream(ResponseStream&& other) noexcept;
  ResponseStream& operator=(ResponseStream&& other) noexcept;
  ~ResponseStream() override;

  int status() const { return response().status; }
  // Without a body.
  const Response& response() const;
  // Of the body, where the head says it.
  http::KnownLength length() const;

  // 0 at the end.
  Task<Result<std::size_t>> read(MutableBytes into) override;
  // What is left; body_too_large beyond `max_bytes`.
  Task<Result<std::string>> read_all(std::uint64_t max_bytes);

  struct State;  // internal to client/
  explicit ResponseStream(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace pipette::client
