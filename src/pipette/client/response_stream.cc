#include "pipette/client/response_stream.h"

#include <array>

#include "pipette/base/ascii.h"
#include "pipette/client/stream_state.h"

namespace pipette::client {
namespace {

constexpr std::size_t kReadBytes = 4096;

}  // namespace

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
  Task<Result<std::size_t>> reading = state.decoder ? state.read_decoded(into) : state.read_raw(into);
  const Result<std::size_t> size = co_await reading;
  if (!size) {
    state.error = size.error();
    state.kept.lease.reset();
  }
  co_return size;
}

Task<Result<std::size_t>> ResponseStream::State::read_raw(MutableBytes into) {
  if (!kept.lease) co_return std::size_t{0};
  Task<Result<std::size_t>> reading = kept.connection().read_body(into, response);
  const Result<std::size_t> size = co_await reading;
  if (size && kept.connection().is_complete()) kept.end();
  co_return size;
}

Task<Result<std::size_t>> ResponseStream::State::read_decoded(MutableBytes into) {
  for (;;) {
    const Result<coding::Step> step = decoder->next(coded.readable(), into);
    if (!step) co_return fail(step.error());
    coded.consume(step->consumed);
    decoded_bytes += step->produced;
    if (decoded_bytes > terms.max_body_bytes) co_return fail(Errc::body_too_large);
    if (step->produced > 0) co_return step->produced;
    if (has_all) {
      if (const Result<void> whole = decoder->finish(); !whole) co_return fail(whole.error());
      co_return std::size_t{0};
    }
    Task<Result<std::size_t>> reading = read_raw(coded.writable(kReadBytes));
    const Result<std::size_t> size = co_await reading;
    if (!size) co_return size;
    coded.commit(*size);
    has_all = *size == 0;
  }
}

Task<Result<std::string>> ResponseStream::read_all(std::uint64_t max_bytes) {
  std::string body;
  std::array<char, kReadBytes> room;
  for (;;) {
    const Result<std::size_t> size = co_await read(room);
    if (!size) co_return fail(size.error());
    if (*size == 0) co_return body;
    if (body.size() + *size > max_bytes) co_return fail(Errc::body_too_large);
    body.append(room.data(), *size);
  }
}

}  // namespace pipette::client
