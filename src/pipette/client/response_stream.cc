#include "pipette/client/response_stream.h"

#include <array>

#include "pipette/base/ascii.h"
#include "pipette/client/stream_state.h"

namespace pipette::client {

ResponseStream::ResponseStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResponseStream::ResponseStream(ResponseStream&& other) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

ResponseStream::~ResponseStream() {
  if (!state_ || !state_->kept.lease) return;
  state_->kept.connection().skip_what_is_there(state_->response);
  state_->kept.end();
}

const Response& ResponseStream::response() const { return state_->response; }

http::KnownLength ResponseStream::length() const {
  const std::optional<std::string_view> said = response().fields.get(http::FieldName::content_length);
  const std::optional<std::uint64_t> size = said ? ascii::parse_decimal(*said) : std::nullopt;
  return size ? http::KnownLength(*size) : http::KnownLength();
}

Task<Result<std::size_t>> ResponseStream::read(MutableBytes into) {
  State& state = *state_;
  if (state.error) co_return fail(state.error);
  if (!state.kept.lease) co_return std::size_t{0};
  Task<Result<std::size_t>> reading = state.kept.connection().read_body(into, state.response);
  const Result<std::size_t> size = co_await reading;
  if (!size) {
    state.error = size.error();
    state.kept.lease.reset();
    co_return size;
  }
  if (state.kept.connection().is_complete()) state.kept.end();
  co_return size;
}

Task<Result<std::string>> ResponseStream::read_all(std::uint64_t max_bytes) {
  std::string body;
  std::array<char, 4096> room;
  for (;;) {
    const Result<std::size_t> size = co_await read(room);
    if (!size) co_return fail(size.error());
    if (*size == 0) co_return body;
    if (body.size() + *size > max_bytes) co_return fail(Errc::body_too_large);
    body.append(room.data(), *size);
  }
}

}  // namespace pipette::client
