#include "pipette/client/connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/http/body_reader.h"
#include "pipette/http/status.h"

namespace pipette::client {
namespace {

using net::Direction;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kLargeBodyBytes = 16 * 1024;
constexpr int kMaxInterimResponses = 100;

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }

}  // namespace

Connection::Connection(async::Loop& loop, const ClientOptions& options, std::unique_ptr<net::Connection> stream)
    : loop_(loop), options_(options), stream_(std::move(stream)), parser_(options.head), opened_at_(loop.now()) {}

bool Connection::is_alive() {
  stream_->set_deadline(Direction::read, kNever);
  std::array<char, 1> octet;
  const Result<std::size_t> probe = stream_->try_read(octet);
  return !probe && is_would_block(probe.error());
}

void Connection::limit(Direction direction, TimePoint deadline, Duration of_phase) {
  stream_->set_deadline(direction, std::min(deadline, after(loop_.now(), of_phase)));
}

// Which deadline it was that struck: the call's own, or that of a phase.
std::error_code Connection::said_by(std::error_code error, TimePoint deadline, Errc phase) const {
  const bool is_phase = error == make_error_code(Errc::timed_out) && loop_.now() < deadline;
  return is_phase ? make_error_code(phase) : error;
}

// ---- sending ---------------------------------------------------------------------------------------------

Result<void> Connection::write_request(const http::HttpUrl& url, const Request& request) {
  http::RequestHeadParts parts;
  parts.method = request.method;
  parts.target = http::RequestTarget::of_parsed(url.authority, url.target);
  parts.fields = request.fields;
  if (proxy_ == nullptr) return write_parts(parts, request);
  return write_for_proxy(url, parts, request);
}

// RFC 9112 §3.2.2: with the whole URL, and who we are to the proxy.
Result<void> Connection::write_for_proxy(const http::HttpUrl& url, http::RequestHeadParts& parts,
                                         const Request& request) {
  const std::string path = std::string(url.target_prefix()) + std::string(url.target);
  const Result<http::RequestTarget> target = http::RequestTarget::absolute("http", url.authority, path);
  if (!target) return fail(target.error());
  parts.target = *target;
  http::OwnedFields fields = request.fields;
  if (!proxy_->authorization().empty()) {
    const Result<void> set = fields.set_default("Proxy-Authorization", proxy_->authorization());
    if (!set) return set;
  }
  parts.fields = fields;
  return write_parts(parts, request);
}

Result<void> Connection::write_parts(http::RequestHeadParts& parts, const Request& request) {
  parts.user_agent = http::FieldValue::checked(options_.user_agent);
  parts.length = request.body.size();
  keeps_alive_ = http::persists(false, request.fields.view());
  has_sent_ = has_received_ = false;
  out_.clear();
  const bool body_fits = request.body.size() < kLargeBodyBytes;
  const Result<http::BodyLength> written =
      http::write_request_head(out_, parts, body_fits ? Bytes(request.body) : Bytes());
  return written ? Result<void>() : fail(written.error());
}

async::Soon<Result<void>> Connection::send(const Request& request, TimePoint deadline) {
  limit(Direction::write, deadline, options_.write_timeout);
  const Bytes head = out_.readable();
  const Result<std::size_t> written = stream_->try_write({&head, 1});
  has_sent_ = written.value_or(0) > 0;
  if (!written && !is_would_block(written.error())) return Result<void>(fail(written.error()));
  if (written && *written == head.size() && request.body.size() < kLargeBodyBytes) return Result<void>();
  return send_slowly(request, written.value_or(0), deadline);
}

Task<Result<void>> Connection::send_slowly(const Request& request, std::size_t written, TimePoint deadline) {
  has_sent_ = true;  // as far as one can know
  const Bytes large_body = request.body.size() < kLargeBodyBytes ? Bytes() : Bytes(request.body);
  const std::array<Bytes, 2> pieces = {out_.readable().substr(written), large_body};
  const Result<void> sent = co_await stream_->write(pieces);
  if (!sent) co_return fail(said_by(sent.error(), deadline, Errc::write_timeout));
  co_return sent;
}

// ---- receiving -------------------------------------------------------------------------------------------

Task<Result<void>> Connection::receive(const Request& request, TimePoint deadline, Response& response) {
  limit(Direction::read, deadline, options_.response_header_timeout);
  for (int interim = 0; interim <= kMaxInterimResponses; ++interim) {
    parser_.reset();
    std::size_t head_bytes = 0;
    for (;;) {
      if (!in_.empty()) {
        const Result<std::size_t> size = parser_.parse(in_.contents(), head_);
        if (!size) co_return fail(size.error());
        if (*size > 0) {
          head_bytes = *size;
          break;
        }
      }
      const Result<std::size_t> count = co_await stream_->read_some(in_.writable(kReadBytes));
      if (!count) co_return fail(said_by(count.error(), deadline, Errc::response_header_timeout));
      if (*count == 0) co_return fail(Errc::end_of_stream);
      in_.commit(*count);
      has_received_ = true;
    }
    if (http::is_interim(head_.status)) {
      if (head_.status == 101) co_return fail(Errc::unexpected_response);  // nobody asked for another protocol
      in_.consume(head_bytes);
      continue;
    }
    const Result<http::BodyLength> length = http::body_length(head_, request.method);
    if (!length) co_return fail(length.error());
    if (!http::persists(head_.is_http_1_0, head_.fields)) keeps_alive_ = false;
    response.assign(head_, in_.readable().substr(0, head_bytes));
    in_.consume(head_bytes);

    Result<void> done;
    const Bytes behind_head = in_.readable();
    if (length->kind == http::BodyLength::Kind::exact && length->size <= behind_head.size() &&
        length->size <= options_.max_response_body_bytes) {
      response.body = behind_head.substr(0, length->size);
      in_.consume(length->size);
    } else if (length->kind != http::BodyLength::Kind::none) {
      done = co_await receive_body(*length, deadline, response);
    }
    if (!in_.empty()) keeps_alive_ = false;  // octets that belong to no response (RFC 9112 §6.3)
    co_return done;
  }
  co_return fail(Errc::too_many_interim_responses);
}

Task<Result<void>> Connection::receive_body(http::BodyLength length, TimePoint deadline, Response& response) {
  http::BodyLimits limits;
  limits.max_body_bytes = options_.max_response_body_bytes;
  limits.trailer = options_.head;
  http::BodyReader reader(length, limits);
  if (const Result<void> fits = reader.check_declared_length(); !fits) co_return fits;
  if (length.kind == http::BodyLength::Kind::until_close) keeps_alive_ = false;
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(in_.readable());
    if (!step) co_return fail(step.error());
    response.body.append(step->data);
    in_.consume(step->consumed);
    if (step->is_complete) co_return Result<void>();
    if (step->consumed > 0) continue;

    limit(Direction::read, deadline, options_.body_timeout);
    const Result<std::size_t> count = co_await stream_->read_some(in_.writable(kReadBytes));
    if (!count) co_return fail(said_by(count.error(), deadline, Errc::body_timeout));
    if (*count == 0) co_return reader.finish();
    in_.commit(*count);
  }
}

}  // namespace pipette::client
