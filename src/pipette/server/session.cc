#include "pipette/server/session.h"

#include <array>
#include <exception>
#include <string>
#include <utility>

#include "pipette/async/yield.h"
#include "pipette/base/ascii.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"
#include "pipette/net/close.h"
#include "pipette/server/worker.h"

namespace pipette::server {
namespace {

using http::FieldName;
using net::Direction;

constexpr std::uint32_t kMaxExchangesInARow = 64;
constexpr std::size_t kMaxBytesInARow = 256 * 1024;
constexpr std::size_t kMaxGatheredBytes = 64 * 1024;  // responses that wait to be flushed together
constexpr std::size_t kLargeBodyBytes = 16 * 1024;    // bodies from here on are written from where they stand
constexpr std::size_t kMinReadBytes = 1024;
constexpr http::FieldValue kDefaultContentType = "text/plain; charset=utf-8";

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }

// Whether no request has begun: empty lines in front of one are skipped (RFC 9112 §2.2), as long as they are few.
bool is_nothing(Bytes input) {
  constexpr std::size_t kMaxEmptyBytes = 16;
  return input.size() <= kMaxEmptyBytes && input.find_first_not_of("\r\n") == Bytes::npos;
}

}  // namespace

Session::Session(Worker& worker, net::Connected connected)
    : worker_(worker),
      connection_(std::move(connected.connection)),
      ends_{std::move(connected.local), std::move(connected.remote)},
      exchange_(worker.exchanges_.take()),
      out_(worker.server_.options().write_buffer_bytes),
      head_deadline_(after(worker.loop_.now(), worker.server_.options().read_header_timeout)) {
  exchange_->runtime = &worker.runtime_;
  exchange_->ends = &ends_;
}

Session::~Session() { worker_.exchanges_.give_back(std::move(exchange_)); }

Task<> Session::run() {
  while (co_await next_head()) {
    if (!co_await read_body()) break;
    co_await call_handler();
    co_await finish();
    if (!keeps_alive()) break;
  }
  const bool was_idle = std::exchange(state_, State::closing) == State::idle;
  co_await flush();
  if (is_connection_lost_) co_return;
  if (was_idle && !must_linger() && connection_->try_close_write()) co_return;
  const Duration linger = worker_.server_.options().linger_timeout;
  (void)co_await net::close(*connection_, after(worker_.loop_.now(), linger));
}

// Whether a reset could still destroy something. The last answer may be on its way for as long as we would linger, and
// meanwhile the client may send its next request; and input that is not read makes our close a reset.
bool Session::must_linger() {
  const bool has_answered = exchanges_ > 0;
  if (has_answered && worker_.loop_.now() < after(idle_since_, worker_.server_.options().linger_timeout)) return true;
  std::array<char, 1> octet;
  connection_->set_deadline(Direction::read, kNever);
  const Result<std::size_t> count = connection_->try_read(octet);
  return count || !is_would_block(count.error());
}

void Session::drain() {
  keeps_alive_ = false;
  if (state_ == State::idle) connection_->set_deadline(Direction::read, worker_.loop_.now());
}

// ---- the head --------------------------------------------------------------------------------------------

async::Soon<bool> Session::next_head() {
  exchange_->begin();
  const Parsed parsed = exchange_->input.empty() ? Parsed::need_more : parse_head();
  if (parsed == Parsed::need_more) return read_head();
  return parsed == Parsed::complete;
}

Task<bool> Session::read_head() {
  const ServerOptions& options = worker_.server_.options();
  const async::Loop& loop = worker_.loop_;
  co_await flush();
  if (is_connection_lost_) co_return false;
  const bool is_first = exchanges_ == 0;
  idle_since_ = loop.now();
  if (!is_first) head_deadline_ = after(loop.now(), options.read_header_timeout);
  const TimePoint idle_deadline = is_first ? head_deadline_ : after(loop.now(), options.idle_timeout);
  for (;;) {
    const bool has_nothing = is_nothing(exchange_->input.readable());
    state_ = has_nothing ? State::idle : State::reading;
    if (has_nothing && worker_.is_draining_) co_return false;
    connection_->set_deadline(Direction::read, has_nothing ? idle_deadline : head_deadline_);
    const std::size_t room = exchange_->input.capacity() == 0 ? options.read_buffer_bytes : kMinReadBytes;
    const MutableBytes into = exchange_->input.writable(room);
    const Result<std::size_t> count = co_await connection_->read_some(into);
    if (!count) {
      if (count.error() != std::errc::timed_out) lose_connection();
      if (!has_nothing && !is_connection_lost_) refuse(Errc::request_timeout);
      co_return false;
    }
    if (*count == 0) {
      if (!has_nothing) refuse(Errc::incomplete_message);
      co_return false;
    }
    if (has_nothing && !is_first) head_deadline_ = after(loop.now(), options.read_header_timeout);
    exchange_->input.commit(*count);
    state_ = State::reading;
    const Parsed parsed = parse_head();
    if (parsed != Parsed::need_more) co_return parsed == Parsed::complete;
  }
}

Session::Parsed Session::parse_head() {
  const Result<std::size_t> size = exchange_->parser.parse(exchange_->input.readable(), exchange_->head);
  if (size && *size == 0) return Parsed::need_more;
  if (size) exchange_->head_bytes = *size;
  const Result<void> accepted = size ? accept_head() : fail(size.error());
  if (accepted) return Parsed::complete;
  refuse(errc_of(accepted.error()));
  return Parsed::refused;
}

// What the head alone decides: framing, expectations, whether the connection stays.
Result<void> Session::accept_head() {
  const http::RequestHead& head = exchange_->head;
  const Result<http::BodyLength> length = http::body_length(head);
  if (!length) return fail(length.error());
  exchange_->body_length = *length;
  if (length->size > worker_.server_.options().max_request_body_bytes) return fail(Errc::body_too_large);
  if (head.method == http::Method::connect) return fail(Errc::tunnel_not_supported);
  if (const auto expect = head.fields.get(FieldName::expect)) {
    const bool is_known = ascii::equal_ignoring_case(*expect, "100-continue");
    if (!is_known || head.fields.is_repeated(FieldName::expect)) return fail(Errc::expectation_failed);
  }
  keeps_alive_ = http::persists(head.is_http_1_0, head.fields) && !worker_.is_draining_;
  return {};
}

// ---- the body --------------------------------------------------------------------------------------------

async::Soon<bool> Session::read_body() {
  const http::BodyLength length = exchange_->body_length;
  if (length.kind == http::BodyLength::Kind::none) return true;
  const Bytes behind_head = exchange_->input.readable().substr(exchange_->head_bytes);
  if (length.kind == http::BodyLength::Kind::exact && length.size <= behind_head.size()) {
    exchange_->body = behind_head.substr(0, length.size);
    exchange_->inline_body_bytes = length.size;
    return true;
  }
  return receive_body();
}

Task<bool> Session::receive_body() {
  const ServerOptions& options = worker_.server_.options();
  http::BodyLimits limits;
  limits.max_body_bytes = options.max_request_body_bytes;
  limits.trailer = options.head;
  http::BodyReader reader(exchange_->body_length, limits);

  // The head stays where its views point; what is behind it moves aside.
  Bytes behind_head = exchange_->input.readable().substr(exchange_->head_bytes);
  unparsed_.clear();
  unparsed_.append(behind_head);
  exchange_->input.truncate(exchange_->head_bytes);

  const bool expects_continue = exchange_->head.fields.contains(FieldName::expect);
  if (expects_continue && unparsed_.empty()) {
    (void)http::write_interim_response(out_, 100, exchange_->head.is_http_1_0);
  }
  co_await flush();
  if (is_connection_lost_) co_return false;

  const Result<void> received = co_await receive_all(reader);
  if (received) {
    exchange_->body = exchange_->body_storage;
    co_return true;
  }
  if (received.error() == std::errc::timed_out) {
    refuse(Errc::request_timeout);
  } else if (errc_row(errc_of(received.error())).status != 0) {
    refuse(errc_of(received.error()));
  } else {
    lose_connection();
  }
  co_return false;
}

Task<Result<void>> Session::receive_all(http::BodyReader& reader) {
  connection_->set_deadline(Direction::read, after(worker_.loop_.now(), worker_.server_.options().read_body_timeout));
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(unparsed_.readable());
    if (!step) co_return fail(step.error());
    exchange_->body_storage.append(step->data);
    unparsed_.consume(step->consumed);
    if (step->is_complete) co_return {};
    if (step->consumed > 0) continue;

    const MutableBytes into = unparsed_.writable(worker_.server_.options().read_buffer_bytes);
    const Result<std::size_t> count = co_await connection_->read_some(into);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return reader.finish();
    unparsed_.commit(*count);
    bytes_in_a_row_ += *count;
    if (bytes_in_a_row_ >= kMaxBytesInARow) co_await let_others_run();
  }
}

// ---- the handler -----------------------------------------------------------------------------------------

async::Soon<> Session::call_handler() {
  state_ = State::handling;
  const Handler& handler = worker_.server_.handler();
  if (const Handler::Plain* plain = handler.plain()) {
    try {
      (*plain)(exchange_->ctx);
    } catch (const std::exception& error) {
      refuse_thrown(error.what());
    } catch (...) {
      refuse_thrown("not a std::exception");
    }
    worker_.loop_.refresh_now();
    return {};
  }
  try {
    Task<> task = (*handler.coroutine())(exchange_->ctx);
    task.start();
    if (!task.done()) return await_handler(std::move(task));
    task.await_resume();
  } catch (const std::exception& error) {
    refuse_thrown(error.what());
  } catch (...) {
    refuse_thrown("not a std::exception");
  }
  worker_.loop_.refresh_now();
  return {};
}

Task<> Session::await_handler(Task<> handler) {
  co_await flush();
  try {
    co_await handler;
  } catch (const std::exception& error) {
    refuse_thrown(error.what());
  } catch (...) {
    refuse_thrown("not a std::exception");
  }
}

void Session::refuse_thrown(const char* what) {
  const http::RequestHead& head = exchange_->head;
  worker_.server_.log("handler of " + std::string(head.method_text) + " " + std::string(head.target) +
                      " threw: " + what);
  exchange_->ctx.error(500, "internal server error");
}

// ---- the response ----------------------------------------------------------------------------------------

async::Soon<> Session::finish() {
  Exchange& exchange = *exchange_;
  if (worker_.is_draining_ || exchange.response.close) keeps_alive_ = false;
  if (exchange.response.status == 205) exchange.response.body.clear();  // RFC 9110 §15.3.6: it has none
  const std::size_t out_before = out_.size();
  const bool is_large = exchange.response.body.size() >= kLargeBodyBytes &&
                        exchange.head.method != http::Method::head && !http::forbids_body(exchange.response.status);
  write_response(exchange, !is_large);

  const std::size_t consumed = exchange.head_bytes + exchange.inline_body_bytes;
  exchange.input.consume(consumed);
  if (!unparsed_.empty()) exchange.input = std::move(unparsed_);
  ++exchanges_;
  ++worker_.served_;
  bytes_in_a_row_ += consumed + out_.size() - out_before;
  if (is_large) return write_large_body();
  if (++exchanges_in_a_row_ >= kMaxExchangesInARow || bytes_in_a_row_ >= kMaxBytesInARow) return let_others_run();
  if (out_.size() >= kMaxGatheredBytes) return flush();
  return {};
}

void Session::write_response(Exchange& exchange, bool with_body) {
  const Result<http::BodyLength> written = try_write_response(exchange, with_body);
  if (written) return;
  worker_.server_.log("a response could not be sent: " + written.error().message());
  exchange.ctx.error(500, "internal server error");
  (void)try_write_response(exchange, with_body);
}

Result<http::BodyLength> Session::try_write_response(const Exchange& exchange, bool with_body) {
  const ResponseParts& response = exchange.response;
  const bool is_silent = exchange.head.method == http::Method::head || http::forbids_body(response.status);
  const Bytes body = with_body && !is_silent ? Bytes(response.body) : Bytes();
  return http::write_response_head(out_, response_head(exchange), body);
}

http::ResponseHeadParts Session::response_head(const Exchange& exchange) const {
  const ResponseParts& response = exchange.response;
  const http::Fields& fields = response.fields.view();
  const bool is_plain = fields.empty() || (!fields.contains(FieldName::date) && !fields.contains(FieldName::server));
  const bool has_default_type = response.content_type.empty() && !response.body.empty();
  http::ResponseHeadParts parts;
  parts.status = response.status;
  parts.fields = response.fields;
  parts.content_type = has_default_type ? kDefaultContentType : http::FieldValue::checked(response.content_type);
  parts.length = http::forbids_body(response.status) ? http::KnownLength() : response.body.size();
  parts.request_method = exchange.head.method;
  parts.is_for_http_1_0 = exchange.head.is_http_1_0;
  parts.keeps_alive = keeps_alive_;
  if (is_plain) {
    parts.defaults.opening = worker_.prefix(response.status);
  } else {
    parts.defaults.server = worker_.server_line_;
    parts.defaults.date = worker_.date_.at(worker_.loop_.wall_now());
  }
  return parts;
}

Task<> Session::write_large_body() {
  connection_->set_deadline(Direction::write, after(worker_.loop_.now(), worker_.server_.options().write_timeout));
  const std::array<Bytes, 2> pieces = {out_.readable(), Bytes(exchange_->response.body)};
  const Result<void> written = co_await connection_->write(pieces);
  if (!written) lose_connection();
  connection_->set_deadline(Direction::write, kNever);
  out_.clear();
  bytes_in_a_row_ += exchange_->response.body.size();
  if (++exchanges_in_a_row_ >= kMaxExchangesInARow || bytes_in_a_row_ >= kMaxBytesInARow) co_await let_others_run();
}

Task<> Session::let_others_run() {
  exchanges_in_a_row_ = 0;
  bytes_in_a_row_ = 0;
  co_await flush();
  co_await async::YieldToLoop(worker_.loop_);
}

async::Soon<> Session::flush() {
  if (out_.empty() || is_connection_lost_) return {};
  const Bytes all = out_.readable();
  const Result<std::size_t> written = connection_->try_write({&all, 1});
  if (!written && !is_would_block(written.error())) {
    lose_connection();
    return {};
  }
  if (written && *written == all.size()) {
    out_.clear();
    return {};
  }
  return flush_rest(written.value_or(0));
}

Task<> Session::flush_rest(std::size_t written) {
  connection_->set_deadline(Direction::write, after(worker_.loop_.now(), worker_.server_.options().write_timeout));
  out_.consume(written);
  const std::array<Bytes, 1> rest = {out_.readable()};
  const Result<void> result = co_await connection_->write(rest);
  if (!result) lose_connection();
  connection_->set_deadline(Direction::write, kNever);
  out_.clear();
}

// Answers what cannot be served; the connection closes after it.
void Session::refuse(Errc error) {
  const ErrcRow& row = errc_row(error);
  keeps_alive_ = false;
  exchange_->response.clear();
  exchange_->response.status = row.status == 0 ? 400 : row.status;
  exchange_->response.body = row.message;
  write_response(*exchange_, true);
}

}  // namespace pipette::server
