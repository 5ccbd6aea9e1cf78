#include "pipette/client/connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/async/alarm.h"
#include "pipette/http/body_writer.h"
#include "pipette/net/leftover.h"

namespace pipette::client {
namespace {

using net::Direction;
using Kind = http::BodyLength::Kind;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kSourceBytes = 16 * 1024;
constexpr std::size_t kPieceBytes = 256 * 1024;  // of a large body; each has write_timeout

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }
bool is_gone(std::error_code error) { return error == std::errc::connection_reset || error == std::errc::broken_pipe; }

}  // namespace

Connection::Connection(async::Loop& loop, const ClientOptions& options, std::unique_ptr<net::Connection> stream)
    : loop_(loop),
      options_(options),
      stream_(std::move(stream)),
      writer_(options),
      reader_(options.head),
      opened_at_(loop.now()),
      may_continue_(loop),
      has_gone_(loop) {}

bool Connection::is_alive() {
  if (read_deadline_ <= loop_.now()) stream_->set_deadline(Direction::read, read_deadline_ = kNever);
  std::array<char, 1> octet;
  const Result<std::size_t> probe = stream_->try_read(octet);
  return !probe && is_would_block(probe.error());
}

void Connection::begin_to_idle() {
  idle_since_ = loop_.now();
  idle_until_ = std::min(after(idle_since_, options_.idle_timeout), after(opened_at_, options_.max_conn_age));
}

void Connection::limit(Direction direction, Duration of_phase) {
  const TimePoint deadline = std::min(terms_->deadline, after(loop_.now(), of_phase));
  if (direction == Direction::read) read_deadline_ = deadline;
  stream_->set_deadline(direction, deadline);
}

// Which deadline it was that struck: the call's own, or that of a phase.
std::error_code Connection::said_by(std::error_code error, Errc phase) const {
  const bool is_phase = error == make_error_code(Errc::timed_out) && loop_.now() < terms_->deadline;
  return is_phase ? make_error_code(phase) : error;
}

std::error_code Connection::failed_to_read(std::error_code error, Errc phase) const {
  if (thrown_) std::rethrow_exception(thrown_);
  return send_error_ ? send_error_ : said_by(error, phase);
}

[[gnu::noinline]] void Connection::tell_trace(TraceKind kind, int status, std::error_code error) const {
  TraceEvent event{kind, loop_.now()};
  event.error = error;
  event.status = status;
  terms_->tell(event);
}

// ---- sending ---------------------------------------------------------------------------------------------

Result<void> Connection::begin(const http::HttpUrl& url, const Request& request, const Terms& terms) {
  request_ = &request;
  terms_ = &terms;
  has_sent_ = has_received_ = is_complete_ = false;
  out_.clear();
  const Result<http::BodyLength> length = writer_.write(out_, url, request, terms);
  if (!length) return fail(length.error());
  sent_length_ = *length;
  keeps_alive_ = http::persists(false, request.fields.view()) &&
                 (terms.fields == nullptr || http::persists(false, terms.fields->view()));
  reader_.begin(request.method, terms.max_body_bytes, terms.wants_upgrade);
  return {};
}

Result<void> Connection::send() {
  if (const Result<void> sent = begin_to_send(); !sent) return sent;
  limit(Direction::read, is_sending_ ? Duration::max() : options_.response_header_timeout);
  return {};
}

Result<void> Connection::begin_to_send() {
  const bool has_source = request_->body_source != nullptr;
  const bool waits = terms_->expects_continue && request_->has_body();
  const bool is_large = !has_source && !waits && request_->body.size() >= kLargeBodyBytes;
  const std::array<Bytes, 2> pieces = {out_.readable(), is_large ? Bytes(request_->body) : Bytes()};
  const Result<std::size_t> written = stream_->try_write(pieces);
  has_sent_ = written.value_or(0) > 0;
  if (!written && !is_would_block(written.error())) {
    // A server may answer, and then close, before it has read all of the request (RFC 9112 §9.5).
    if (!is_gone(written.error())) return fail(written.error());
    send_error_ = written.error();
    keeps_alive_ = false;
    return {};
  }
  if (!has_source && !waits && written.value_or(0) == pieces[0].size() + pieces[1].size()) {
    tell(TraceKind::wrote_head);
    tell(TraceKind::wrote_request);
    return {};
  }
  has_sent_ = true;  // as far as one can know
  is_sending_ = true;
  has_gone_.reset();
  sending_ = send_beside(written.value_or(0));
  sending_.start();
  return {};
}

Task<> Connection::send_beside(std::size_t written) {
  Result<void> sent;
  try {
    Task<Result<void>> rest = send_rest(written);
    sent = co_await rest;
  } catch (...) {
    thrown_ = std::current_exception();
    sent = fail(Errc::operation_canceled);
  }
  is_sending_ = false;
  has_gone_.set();
  if (!sent) co_return give_up_sending(sent.error());
  stream_->set_deadline(Direction::write, kNever);
  tell(TraceKind::wrote_request);
  if (!reader_.has_head()) limit(Direction::read, options_.response_header_timeout);
}

void Connection::give_up_sending(std::error_code error) {
  if (terms_->trace != nullptr) tell_trace(TraceKind::wrote_request, 0, error);
  keeps_alive_ = false;
  send_error_ = error;
  if (thrown_ || !is_gone(error)) return stream_->abort();
  if (!reader_.has_head()) limit(Direction::read, options_.response_header_timeout);
}

// The buffer stands still while it is sent, and so does the body.
Task<Result<void>> Connection::send_rest(std::size_t written) {
  const std::size_t of_head = std::min(written, out_.size());
  limit(Direction::write, options_.write_timeout);
  const Bytes head = out_.readable().substr(of_head);
  if (!head.empty()) {
    const Result<void> sent = co_await stream_->write(std::span(&head, 1));
    if (!sent) co_return fail(said_by(sent.error(), Errc::write_timeout));
  }
  tell(TraceKind::wrote_head);
  if (!request_->has_body()) co_return Result<void>();
  if (terms_->expects_continue) {
    Task<Result<void>> waiting = wait_to_continue();
    const Result<void> continued = co_await waiting;
    if (!continued) co_return continued;
  }
  if (request_->body_source != nullptr) {
    Task<Result<void>> source = send_source();
    co_return co_await source;
  }
  if (request_->body.size() < kLargeBodyBytes && !terms_->expects_continue) co_return Result<void>();  // with the head
  for (std::size_t at = written - of_head; at < request_->body.size(); at += kPieceBytes) {
    const Bytes piece = Bytes(request_->body).substr(at, kPieceBytes);
    limit(Direction::write, options_.write_timeout);
    const Result<void> sent = co_await stream_->write(std::span(&piece, 1));
    if (!sent) co_return fail(said_by(sent.error(), Errc::write_timeout));
  }
  co_return Result<void>();
}

// RFC 9110 §10.1.1: a server that says nothing may not know of 100, so the body goes out all the same.
Task<Result<void>> Connection::wait_to_continue() {
  may_continue_.reset();
  const TimePoint until = std::min(terms_->deadline, after(loop_.now(), options_.expect_continue_timeout));
  const async::Alarm alarm(loop_, may_continue_, until);
  co_await may_continue_.wait();
  const bool is_late = loop_.now() >= until;
  if (is_late && loop_.now() >= terms_->deadline) co_return fail(Errc::timed_out);
  if (is_late && options_.requires_continue) co_return fail(Errc::expect_continue_timeout);
  co_return Result<void>();
}

Task<Result<void>> Connection::send_source() {
  http::BodyWriter writer(sent_length_);
  Buffer room(kSourceBytes);
  for (;;) {
    const MutableBytes into = room.writable(kSourceBytes);
    Task<Result<std::size_t>> reading = request_->body_source->read(into);
    const Result<std::size_t> size = co_await reading;
    if (!size) co_return fail(size.error());
    if (*size == 0) break;
    const Result<std::span<const Bytes>> pieces = writer.write(Bytes(into.data(), *size));
    if (!pieces) co_return fail(pieces.error());
    limit(Direction::write, options_.write_timeout);
    const Result<void> sent = co_await stream_->write(*pieces);
    if (!sent) co_return fail(said_by(sent.error(), Errc::write_timeout));
  }
  out_.clear();
  if (const Result<void> finished = writer.finish(out_, request_->trailers.view()); !finished) co_return finished;
  const Bytes end = out_.readable();
  if (end.empty()) co_return Result<void>();
  limit(Direction::write, options_.write_timeout);
  const Result<void> sent = co_await stream_->write(std::span(&end, 1));
  if (!sent) co_return fail(said_by(sent.error(), Errc::write_timeout));
  co_return Result<void>();
}

// ---- receiving -------------------------------------------------------------------------------------------

// Whether the head is there.
Result<bool> Connection::take_head(Response& response) {
  for (;;) {
    const Result<ResponseReader::Took> took = reader_.take_head(in_, response);
    if (!took) return fail(took.error());
    if (*took == ResponseReader::Took::nothing) return false;
    if (*took == ResponseReader::Took::head) break;
    tell(TraceKind::interim, reader_.status());
    if (reader_.status() == 100) may_continue_.set();
  }
  is_complete_ = !reader_.has_body();
  tell(TraceKind::got_head, response.status);
  constexpr int kFirstOfNoSuccess = 300;
  if (is_sending_ && response.status >= kFirstOfNoSuccess) {  // the server does not want the rest
    sending_ = {};
    is_sending_ = false;
    keeps_alive_ = false;
  }
  return true;
}

Result<void> Connection::try_receive_head(Response& response) {
  for (;;) {
    const Result<std::size_t> count = stream_->try_read(in_.writable(kReadBytes));
    if (!count && is_would_block(count.error())) return fail(count.error());
    if (!count) return fail(failed_to_read(count.error(), Errc::response_header_timeout));
    if (*count == 0) return fail(failed_to_read(make_error_code(Errc::end_of_stream), Errc::end_of_stream));
    in_.commit(*count);
    if (!std::exchange(has_received_, true)) tell(TraceKind::first_byte);
    const Result<bool> took = take_head(response);
    if (!took) return fail(took.error());
    if (*took) return {};
  }
}

async::Soon<Result<void>> Connection::receive_body(Response& response) {
  const Result<bool> complete = reader_.take_body(in_, response);
  if (!complete) return Result<void>(fail(complete.error()));
  is_complete_ = *complete;
  if (is_complete_ && !is_sending_) return Result<void>();
  return receive_body_slowly(response);
}

Task<Result<void>> Connection::receive_body_slowly(Response& response) {
  std::string& body = response.body;
  while (!is_complete_) {
    limit(Direction::read, options_.body_timeout);
    const std::size_t size_before = body.size();
    const MutableBytes room = reader_.room_in(body);
    const bool is_direct = !room.empty();
    const Result<std::size_t> count = co_await stream_->read_some(is_direct ? room : in_.writable(kReadBytes));
    if (!count) co_return fail(failed_to_read(count.error(), Errc::body_timeout));
    if (*count == 0) {
      body.resize(size_before);
      co_return reader_.end();
    }
    if (!is_direct) in_.commit(*count);
    const Result<bool> complete =
        is_direct ? reader_.commit(body, size_before, *count) : reader_.take_body(in_, response);
    if (!complete) co_return fail(complete.error());
    is_complete_ = *complete;
  }
  Task<Result<void>> rest = wait_for_request();
  co_return co_await rest;
}

// What the server has answered to, it may still want.
Task<Result<void>> Connection::wait_for_request() {
  if (is_sending_) {
    const async::Alarm alarm(loop_, has_gone_, terms_->deadline);
    co_await has_gone_.wait();
    if (is_sending_) co_return fail(is_aborted_ ? Errc::operation_canceled : Errc::timed_out);
  }
  if (thrown_) std::rethrow_exception(thrown_);
  co_return Result<void>();
}

void Connection::abort() {
  is_aborted_ = true;
  stream_->abort();
  has_gone_.set();
}

Task<Result<std::size_t>> Connection::read_body(MutableBytes into, Response& response) {
  while (!is_complete_) {
    const Result<ResponseReader::Some> some = reader_.take_some(in_, into, response);
    if (!some) co_return fail(some.error());
    is_complete_ = some->is_complete;
    if (some->size > 0) co_return some->size;
    if (is_complete_) break;
    limit(Direction::read, options_.body_timeout);
    const Result<std::size_t> count = co_await stream_->read_some(in_.writable(kReadBytes));
    if (!count) co_return fail(failed_to_read(count.error(), Errc::body_timeout));
    if (*count == 0) {
      if (const Result<void> ended = reader_.end(); !ended) co_return fail(ended.error());
      is_complete_ = true;
    }
    in_.commit(*count);
  }
  Task<Result<void>> rest = wait_for_request();
  const Result<void> gone = co_await rest;
  if (!gone) co_return fail(gone.error());
  co_return std::size_t{0};
}

void Connection::skip_what_is_there(Response& response) {
  std::array<char, kReadBytes> nowhere;
  for (bool has_more = true; has_more && !is_complete_;) {
    const Result<ResponseReader::Some> some = reader_.take_some(in_, nowhere, response);
    has_more = some && some->size > 0;
    is_complete_ = some && some->is_complete;
  }
}

bool Connection::finish() {
  if (sending_) sending_ = {};
  const bool is_whole = is_complete_ && !is_sending_ && in_.empty();  // what is there belongs to no response
  return is_whole && keeps_alive_ && reader_.keeps_alive();
}

std::unique_ptr<net::Connection> Connection::take_stream() {
  sending_ = {};
  stream_->set_deadline(Direction::read, kNever);
  stream_->set_deadline(Direction::write, kNever);
  return net::with_leftover(loop_, std::move(stream_), in_.readable());
}

}  // namespace pipette::client
