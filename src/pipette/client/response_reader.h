// ResponseReader: takes responses out of the octets that a server sends. No I/O. Internal to client/.
//
//   begin(method) ──> take_head() ──> interim* ──> head ──> take_body() … ──> complete
//
// What takes gives `nothing` or false wants more octets behind those in the buffer.
//
// Errors    the message rows of Errc; too_many_interim_responses; unexpected_response for a 101 that nobody asked for.
// Lifetime  owns what it needs.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/buffer.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/client/response.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/method.h"

namespace pipette::client {

class ResponseReader {
 public:
  enum class Took : std::uint8_t { nothing, interim, head };

  explicit ResponseReader(const http::HeadLimits& limits) : limits_(limits), parser_(limits) {}

  // For the response to a request of this method.
  void begin(http::Method method, std::uint64_t max_body_bytes, bool wants_upgrade = false);

  // Takes one head from the front of `in`; a final one goes into `response`.
  Result<Took> take_head(Buffer& in, Response& response);
  // Whether the final one was.
  bool has_head() const { return has_head_; }
  bool has_body() const { return length_.kind != http::BodyLength::Kind::none; }
  // The status of the last head that was taken.
  int status() const { return head_.status; }
  // Whether the server lets the connection go on behind this response; to be asked at its end.
  bool keeps_alive() const { return keeps_alive_; }

  // Appends what there is of the body to that of `response`; true when it is complete, with its trailers.
  Result<bool> take_body(Buffer& in, Response& response);
  // The same, into the caller's memory.
  struct Some {
    std::size_t size = 0;
    bool is_complete = false;
  };
  Result<Some> take_some(Buffer& in, MutableBytes into, Response& response);

  // For what is large: room at the end of the body for octets that are nothing but body, which commit() is told of.
  // Empty where that cannot be known.
  MutableBytes room_in(std::string& body) const;
  Result<bool> commit(std::string& body, std::size_t size_before, std::size_t count);

  // The server has finished sending: fine for a body that ends with the connection.
  Result<void> end();

 private:
  Result<void> begin_body();
  void keep_trailers(Bytes input, const http::BodyReader::Step& step, Response& response);

  http::HeadLimits limits_;
  http::ResponseParser parser_;
  http::ResponseHead head_;
  http::BodyLength length_;
  http::BodyReader body_;
  std::uint64_t left_ = 0;  // of a declared length
  std::uint64_t max_body_bytes_ = 0;
  int interim_count_ = 0;
  http::Method method_ = http::Method::get;
  bool wants_upgrade_ = false;
  bool keeps_alive_ = true;
  bool has_head_ = false;
  bool is_in_body_ = false;
};

}  // namespace pipette::client
