#include "pipette/server/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <exception>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/async/yield.h"
#include "pipette/base/ascii.h"
#include "pipette/base/poison.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"
#include "pipette/net/close.h"
#include "pipette/net/leftover.h"
#include "pipette/server/rate.h"
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
constexpr std::size_t kSourceBytes = 16 * 1024;  // what is asked of a body source at once
constexpr http::FieldValue kDefaultContentType = "text/plain; charset=utf-8";

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }

[[gnu::cold]] bool are_empty_lines(Bytes input) {
  constexpr std::size_t kMaxEmptyBytes = 16;
  return input.size() <= kMaxEmptyBytes && input.find_first_not_of("\r\n") == Bytes::npos;
}

// Whether no request has begun: empty lines in front of one are skipped (RFC 9112 §2.2), as long as they are few.
inline bool is_nothing(Bytes input) { return input.empty() || (input.front() <= ' ' && are_empty_lines(input)); }

bool is_for_https(const http::RequestHead& head) {
  constexpr std::string_view kScheme = "https://";
  return head.form == http::TargetForm::absolute &&
         ascii::equal_ignoring_case(head.target.substr(0, kScheme.size()), kScheme);
}

bool is_silent(const Exchange& exchange) {
  return exchange.head.method == http::Method::head || http::forbids_body(exchange.response.status);
}

}  // namespace

Session::Session(Worker& worker)
    : worker_(worker),
      out_(worker_.loop_, *this),
      ahead_(worker_.loop_, *this, options().max_read_ahead_bytes),
      attention_(worker_.loop_),
      handler_deadline_(*this) {}

void Session::attach(Guest& guest) {
  guest_ = &guest;
  connection_ = &guest.connection();
  out_.attach(*connection_, {options().write_timeout, options().write_min_rate});
  ahead_.attach(*connection_);
  old_at_ = after(guest.connected_at(), options().max_conn_age);
  began_at_ = guest.connected_at();
  state_ = guest.answered() == 0 ? State::reading : State::idle;
  if (exchange_ == nullptr) take_exchange();
  introduce_guest();
}

bool Session::detach() {
  assert(has_nothing() && exchange_->is_blank && !is_active_);
  const bool is_sound = !is_lost() && !ahead_.has_ended();
  const std::size_t most = std::max(out_.gathered().capacity(), ahead_.octets().capacity());
  if (!is_sound || most > BufferPool::kMaxKeptBytes) return false;
  if (kPoisons) {
    exchange_.reset();  // so that a dead one stays dead
  } else {
    exchange_->forget_connection();
  }
  return true;
}

Session::~Session() {
  count_octets();
  count_active(false);
  if (exchange_ != nullptr && exchange_->is_handling) part_with_handler();
  if (exchange_ != nullptr) worker_.exchanges_.give_back(std::move(exchange_));
  worker_.buffers_.give_back(std::move(out_.gathered()));
  worker_.buffers_.give_back(std::move(ahead_.octets()));
}

const ServerOptions& Session::options() const { return worker_.server_.options(); }
TimePoint Session::now() const { return worker_.loop_.now(); }

inline void Session::show(ConnState state) {
  count_active(state == ConnState::active);
  guest_->show(state);
}

inline void Session::count_active(bool is_active) {
  if (std::exchange(is_active_, is_active) == is_active) return;
  Count& gauge = worker_.metrics_.active_connections;
  is_active ? gauge.add(1) : gauge.subtract(1);
}

Task<bool> Session::run() {
  for (Next next = read_head(); next != Next::end; next = co_await next_head()) {
    if (next == Next::nothing) co_return true;
    if (!co_await prepare_body()) break;
    co_await call_handler();
    if (is_cut_) break;
    co_await finish();
    if (!keeps_alive()) break;
  }
  co_await end();
  co_return false;
}

Task<> Session::end() {
  if (exchange_ != nullptr && exchange_->hijack && !is_lost()) co_return co_await hand_over();
  const bool was_idle = std::exchange(state_, State::closing) == State::idle;
  co_await out_.flush();
  worker_.count_failure(out_.failure());
  count_octets();
  show(ConnState::closed);
  if (is_lost() && options().log_all_errors) log_break(was_idle);
  if (is_lost()) co_return;
  if (was_idle && !must_linger() && connection_->try_close_write()) co_return;
  (void)co_await net::close(*connection_, after(now(), options().linger_timeout));
}

void Session::log_break(bool was_idle) {
  const std::string who = options().secure_error_log_message ? "a client" : guest_->ends().remote.to_string();
  worker_.server_.log("the connection of " + who + " broke" + (was_idle ? " while it idled" : ""));
}

// Whether a reset could still destroy something. The last answer may be on its way for as long as we would linger, and
// meanwhile the client may send its next request; and input that is not read makes our close a reset.
bool Session::must_linger() {
  const bool has_answered = guest_->answered() > 0;
  if (has_answered && now() < after(guest_->idle_since(), options().linger_timeout)) return true;
  std::array<char, 1> octet;
  connection_->set_deadline(Direction::read, kNever);
  const Result<std::size_t> count = connection_->try_read(octet);
  return count || !is_would_block(count.error());
}

// One that must end waits for its client no longer; what it has handed to write() still goes.
void Session::request_stop(async::StopReason reason) {
  if (exchange_ == nullptr || !exchange_->is_handling) return;
  exchange_->stop.request_stop(reason);
  if (reason == async::StopReason::peer_finished || reason == async::StopReason::peer_reset) return;
  ahead_.dismiss();
  if (out_.dismiss()) is_stream_cut_ = true;
}

// Whether its handler was told to come to an end, whatever its client does.
bool Session::must_end() const {
  const async::StopReason reason = exchange_->stop.reason();
  return reason == async::StopReason::shutdown || reason == async::StopReason::evicted;
}

void Session::abort() {
  is_cut_ = true;
  out_.break_off();
  connection_->abort();
  attend();
}

// What has gone and come since the last time.
void Session::count_octets() {
  worker_.add(&Metrics::bytes_sent, out_.sent() - std::exchange(counted_sent_, out_.sent()));
  worker_.add(&Metrics::bytes_received, ahead_.received() - std::exchange(counted_received_, ahead_.received()));
}

void Session::take_exchange() {
  exchange_ = worker_.exchanges_.take();
  exchange_->server = &worker_.server_;
  exchange_->runtime = &worker_.runtime_;
  configure_as_server();
  if (out_.gathered().capacity() == 0) out_.gathered() = worker_.buffers_.take(options().write_buffer_bytes);
}

void Session::introduce_guest() {
  exchange_->ends = &guest_->ends();
  exchange_->connection_id = guest_->id();
  exchange_->connected_at = guest_->connected_at();
  exchange_->security = guest_->ends().security.get();
}

// ---- the head --------------------------------------------------------------------------------------------

async::Soon<Session::Next> Session::next_head() {
  exchange_->begin();
  began_at_ = now();
  const Parsed parsed = exchange_->input.empty() ? Parsed::need_more : parse_head();
  if (parsed != Parsed::need_more) return parsed == Parsed::complete ? Next::request : Next::end;
  if (!out_.push()) return flush_and_read_head();
  return begin_to_wait();
}

Task<Session::Next> Session::flush_and_read_head() {
  co_await out_.flush();
  co_return begin_to_wait();
}

// All that was answered has gone.
Session::Next Session::begin_to_wait() {
  count_octets();
  if (is_lost()) return Next::end;
  guest_->begin_to_idle(now());
  began_at_ = now();
  return read_head();
}

// The time of the first head begins with the connection.
inline TimePoint Session::idle_deadline() const {
  return guest_->answered() == 0 ? after(guest_->connected_at(), options().read_header_timeout)
                                 : after(guest_->idle_since(), options().idle_timeout);
}

inline TimePoint Session::head_deadline() const { return after(began_at_, options().read_header_timeout); }

Session::Next Session::read_head() {
  const bool is_first = guest_->answered() == 0;
  for (;;) {
    const bool has_nothing = is_nothing(exchange_->input.readable());
    const State before = std::exchange(state_, has_nothing ? State::idle : State::reading);
    if (has_nothing && guest_->drains() == Drain::at_once) return Next::end;
    if (state_ == State::idle && before != State::idle && !is_first) {
      show(ConnState::idle);
      if (guest_->drains() == Drain::at_once) return Next::end;  // whoever was told has evicted it
    }
    connection_->set_deadline(Direction::read, has_nothing ? idle_deadline() : head_deadline());
    const std::size_t room = exchange_->input.capacity() == 0 ? options().read_buffer_bytes : kMinReadBytes;
    const Result<std::size_t> count = connection_->try_read(exchange_->input.writable(room));
    if (!count && is_would_block(count.error())) {
      exchanges_in_a_row_ = 0;
      bytes_in_a_row_ = 0;
      return Next::nothing;
    }
    if (!count) return give_up_reading(count.error(), has_nothing);
    if (*count == 0) {
      if (!has_nothing) refuse(Errc::incomplete_message);
      return Next::end;
    }
    if (has_nothing && !is_first) began_at_ = now();
    exchange_->input.commit(*count);
    worker_.add(&Metrics::bytes_received, *count);
    if (state_ == State::idle && !is_nothing(exchange_->input.readable())) {
      state_ = State::reading;
      show(ConnState::active);
    }
    const Parsed parsed = parse_head();
    if (parsed != Parsed::need_more) return parsed == Parsed::complete ? Next::request : Next::end;
  }
}

Session::Next Session::give_up_reading(std::error_code error, bool has_nothing) {
  const bool is_late = error == std::errc::timed_out;
  if (!is_late) is_connection_lost_ = true;
  const bool is_asked_to_end = has_nothing && guest_->drains() == Drain::at_once;
  if (is_late && !is_asked_to_end) {
    const bool is_between = has_nothing && guest_->answered() > 0;
    worker_.count(is_between ? &Metrics::idle_timeouts : &Metrics::read_header_timeouts);
  }
  if (is_late && !has_nothing) refuse(Errc::request_timeout);
  return Next::end;
}

Session::Parsed Session::parse_head() {
  exchange_->is_blank = false;
  const Result<std::size_t> size = exchange_->parser.parse(exchange_->input.readable(), exchange_->head);
  if (size && *size == 0) return Parsed::need_more;
  if (size) exchange_->head_bytes = *size;
  exchange_->request_number = guest_->answered() + 1;
  exchange_->started_at = now();
  const Result<void> accepted = size ? accept_head() : fail(size.error());
  if (accepted) return Parsed::complete;
  refuse(errc_of(accepted.error()));
  return Parsed::refused;
}

// What the head alone decides: framing, expectations, whether the connection stays.
Result<void> Session::accept_head() {
  const ServerOptions& server = options();
  const http::RequestHead& head = exchange_->head;
  const Result<http::BodyLength> length = http::body_length(head);
  if (!length) return fail(length.error());
  exchange_->body_length.kind = length->kind;  // one by one: as a whole it would be read before it has been stored
  exchange_->body_length.size = length->size;
  own_read_deadline_ = kNever;
  if (worker_.has_rules_) [[unlikely]] {
    if (const Result<void> allowed = apply_rules(); !allowed) return allowed;
  }
  if (length->size > exchange_->max_body_bytes) return fail(Errc::body_too_large);
  if (head.method == http::Method::connect) return fail(Errc::tunnel_not_supported);
  if (exchange_->security == nullptr && is_for_https(head)) return fail(Errc::misdirected_request);
  owes_continue_ = false;
  if (const auto expect = head.fields.get(FieldName::expect)) {
    const bool is_known = ascii::equal_ignoring_case(*expect, "100-continue");
    if (!is_known || head.fields.is_repeated(FieldName::expect)) return fail(Errc::expectation_failed);
    const bool has_body = length->kind == http::BodyLength::Kind::chunked || length->size > 0;
    owes_continue_ = has_body && !head.is_http_1_0;
  }
  const bool is_last = guest_->answered() + 1 >= server.max_requests_per_conn || now() >= old_at_;
  keeps_alive_ = !is_last && !server.disable_keepalive && http::persists(head.is_http_1_0, head.fields) &&
                 guest_->drains() == Drain::none;
  return {};
}

// What few servers ask for.
[[gnu::cold]] Result<void> Session::apply_rules() {
  const ServerOptions& server = options();
  const http::Method method = exchange_->head.method;
  configure_as_server();
  if (server.on_header_received) apply(server.on_header_received(exchange_->ctx));
  if (server.get_only && method != http::Method::get && method != http::Method::head) {
    return fail(Errc::method_not_allowed);
  }
  return {};
}

// As long as nobody wants it otherwise for one request.
void Session::configure_as_server() {
  exchange_->max_body_bytes = options().max_request_body_bytes;
  exchange_->handler_timeout = options().handler_timeout;
  streams_body_ = options().stream_request_body;
}

void Session::apply(const RequestConfig& config) {
  if (config.read_timeout) own_read_deadline_ = after(now(), *config.read_timeout);
  if (config.write_timeout) {
    out_.set_limits({*config.write_timeout, options().write_min_rate});
    exchange_->is_plain = false;
    has_own_write_limits_ = true;
  }
  if (config.handler_timeout) exchange_->handler_timeout = *config.handler_timeout;
  if (config.max_request_body_bytes) exchange_->max_body_bytes = *config.max_request_body_bytes;
  if (config.stream_request_body) streams_body_ = *config.stream_request_body;
}

// ---- the body --------------------------------------------------------------------------------------------

// Has the body stand in one piece, unless it is to be streamed.
async::Soon<bool> Session::prepare_body() {
  const http::BodyLength length = exchange_->body_length;
  is_body_complete_ = true;
  if (length.kind == http::BodyLength::Kind::none) return true;
  if (const std::optional<int> status = answer_to_expectation()) {
    refuse_with(*status, http::reason_phrase(*status), Errc::expectation_failed);
    return false;
  }
  const Bytes behind_head = exchange_->input.readable().substr(exchange_->head_bytes);
  if (length.kind == http::BodyLength::Kind::exact && length.size <= behind_head.size()) {
    exchange_->body = behind_head.substr(0, length.size);
    exchange_->inline_body_bytes = length.size;
    return true;
  }
  http::BodyLimits limits;
  limits.max_body_bytes = exchange_->max_body_bytes;
  limits.trailer = options().head;
  exchange_->is_plain = false;
  exchange_->body_reader.emplace(length, limits);
  exchange_->trailers.clear();
  read_deadline_ = after(began_at_, options().read_timeout);
  is_body_complete_ = false;
  body_waited_ = {};
  body_received_ = 0;
  // The head stays where its views point; what is behind it moves aside.
  ahead_.octets().append(behind_head);
  exchange_->input.truncate(exchange_->head_bytes);
  if (streams_body_) return true;
  return receive_body();
}

// What the hook says to "Expect: 100-continue"; nothing: go on.
std::optional<int> Session::answer_to_expectation() {
  if (!owes_continue_ || !options().on_expect_continue) return std::nullopt;
  const int status = options().on_expect_continue(exchange_->ctx);
  if (status == 100) return std::nullopt;
  return status >= 400 && status <= 599 ? status : 417;
}

void Session::send_continue() {
  if (!std::exchange(owes_continue_, false) || body_received_ > 0 || !ahead_.octets().empty()) return;
  (void)http::write_interim_response(out_.gathered(), 100, exchange_->head.is_http_1_0);
}

Task<bool> Session::receive_body() {
  send_continue();
  for (;;) {
    const Result<Bytes> data = take_body();
    if (!data) {
      const std::error_code error = data.error();
      if (errc_row(errc_of(error)).status == 0) is_connection_lost_ = true;
      if (!is_connection_lost_) refuse(errc_of(error));
      co_return false;
    }
    if (is_body_complete_) break;
    if (bytes_in_a_row_ >= kMaxBytesInARow) co_await let_others_run();
    if (!out_.push()) co_await out_.flush();
    if (is_lost()) co_return false;
    const TimePoint began = now();
    connection_->set_deadline(Direction::read, body_deadline());
    co_await ahead_.more();
    body_waited_ += now() - began;
  }
  exchange_->body = exchange_->body_storage;
  co_return true;
}

// Moves what has come of the body to its storage.
Result<Bytes> Session::take_body() {
  http::BodyReader& reader = *exchange_->body_reader;
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(ahead_.octets().readable());
    if (!step) return fail(step.error());
    exchange_->body_storage.append(step->data);
    for (std::size_t i = 0; step->is_complete && i < reader.trailers().size(); ++i) {
      const http::Field trailer = reader.trailers()[i];  // in octets that go now
      (void)exchange_->trailers.add(trailer.name, trailer.value);
    }
    ahead_.octets().consume(step->consumed);
    body_received_ += step->consumed;
    bytes_in_a_row_ += step->consumed;
    is_body_complete_ = step->is_complete;
    if (step->is_complete) return Bytes(exchange_->body_storage);
    if (step->consumed > 0) continue;
    if (!ahead_.has_ended()) return Bytes(exchange_->body_storage);
    return fail(body_error());
  }
}

// Why no more of the body comes.
std::error_code Session::body_error() {
  if (ahead_.has_finished()) return exchange_->body_reader->finish().error();
  if (ahead_.error() != std::errc::timed_out) return ahead_.error();
  const bool is_slow = now() < whole_read_deadline();
  worker_.count(is_slow ? &Metrics::read_body_rate_timeouts : &Metrics::read_timeouts);
  return make_error_code(Errc::request_timeout);
}

// Of the next octets: the request's own, or that of the rate.
TimePoint Session::body_deadline() const {
  const Duration allowed = allowed_time(body_received_, options().read_body_min_rate);
  return std::min(whole_read_deadline(), after(now(), allowed == Duration::max() ? allowed : allowed - body_waited_));
}

// For a handler that reads the body as it comes: the next of it; nothing at its end.
Task<Result<Bytes>> Session::read_body_some() {
  exchange_->body_storage.clear();
  if (is_body_complete_) co_return Bytes();
  ahead_.forget_time_out();
  send_continue();
  (void)out_.push();
  for (;;) {
    Result<Bytes> data = take_body();
    if (!data || !data->empty() || is_body_complete_) {
      connection_->set_deadline(Direction::read, kNever);
      ahead_.listen();
      co_return data;
    }
    if (must_end()) co_return fail(Errc::operation_canceled);
    const TimePoint began = now();
    connection_->set_deadline(Direction::read, body_deadline());
    if (!co_await ahead_.more()) co_return fail(Errc::operation_canceled);  // and the session may be gone
    body_waited_ += now() - began;
  }
}

// Reads what a handler has left of the body, so that the next request can be found.
Task<> Session::drop_body() {
  co_await out_.flush();
  const bool has_failed = bool(ahead_.error());  // and its handler knows
  std::uint64_t dropped = 0;
  while (!is_body_complete_ && !is_lost() && !has_failed) {
    const std::uint64_t before = body_received_;
    const bool is_fine = take_body().has_value();
    exchange_->body_storage.clear();
    dropped += body_received_ - before;
    if (!is_fine || dropped > options().max_drain_bytes) break;
    if (is_body_complete_) break;
    const TimePoint began = now();
    connection_->set_deadline(Direction::read, body_deadline());
    co_await ahead_.more();
    body_waited_ += now() - began;
  }
  if (!is_body_complete_) keeps_alive_ = false;
}

// ---- the handler -----------------------------------------------------------------------------------------

async::Soon<> Session::call_handler() {
  state_ = State::handling;
  Exchange& exchange = *exchange_;
  exchange.session = this;
  exchange.deadline = after(now(), exchange.handler_timeout);
  if (worker_.is_swamped()) [[unlikely]] {
    worker_.count(&Metrics::rejected_swamped);
    exchange.ctx.error(503, "too many handlers are late");
    (void)exchange.response.fields.set("Retry-After", "1");
    return {};
  }
  const Handler& handler = worker_.server_.handler();
  try {
    if (const Handler::Plain* plain = handler.plain()) {
      (*plain)(exchange.ctx);
    } else {
      connection_->set_deadline(Direction::read, kNever);
      Task<> task = (*handler.coroutine())(exchange.ctx);
      task.start();
      if (!task.done()) return await_handler(std::move(task));
      task.await_resume();
    }
  } catch (const std::exception& error) {
    exchange.is_plain = false;
    exchange.thrown = error.what();
  } catch (...) {
    exchange.is_plain = false;
    exchange.thrown = "not a std::exception";
  }
  refresh_now();
  if (now() >= exchange.deadline) worker_.count(&Metrics::handlers_overran);
  if (!exchange.response.is_plain && wants_source_sent(exchange)) [[unlikely]] {
    connection_->set_deadline(Direction::read, kNever);
    return await_handler(send_source(exchange));
  }
  if (!exchange.is_plain) [[unlikely]]
    conclude_handler();
  return {};
}

// Behind one of a batch, a rough look will do: what it does not see, the last one's does.
inline void Session::refresh_now() {
  const bool is_last = exchange_->input.size() == exchange_->head_bytes + exchange_->inline_body_bytes;
  is_last || worker_.tells_access_ ? worker_.loop_.refresh_now() : worker_.loop_.refresh_roughly();
}

bool Session::wants_source_sent(const Exchange& exchange) {
  return exchange.session != nullptr && exchange.response.source && !exchange.thrown && !exchange.has_given_up &&
         !exchange.session->has_begun_response();
}

void Session::conclude_handler() {
  ahead_.rest();
  if (exchange_->thrown) [[unlikely]]
    refuse_thrown(*exchange_->thrown);
  if (exchange_->has_given_up && !has_begun_response()) [[unlikely]]
    answer_with(exchange_->late_answer);
}

void Session::answer_with(const LateAnswer& answer) {
  RequestCtx& ctx = exchange_->ctx;
  ctx.error(answer.status, answer.message.empty() ? http::reason_phrase(answer.status) : answer.message);
  for (std::size_t i = 0; i < answer.fields.size(); ++i) {
    const http::Field field = answer.fields[i];
    (void)ctx.add_header(field.name, field.value);
  }
}

// The handler runs on by itself; what the session waits for is whatever comes first.
Task<> Session::await_handler(Task<> handler) {
  attention_.reset();
  is_handler_late_ = false;
  worker_.run_handler(*exchange_, std::move(handler));
  worker_.loop_.arm(handler_deadline_, exchange_->deadline);
  ahead_.listen(exchange_->input.size() - exchange_->head_bytes - exchange_->inline_body_bytes);
  (void)out_.push();
  if (worker_.stops_handlers_) request_stop(async::StopReason::shutdown);
  while (exchange_->is_handling && !is_cut_ && !must_answer_late()) {
    co_await attention_.wait();
    attention_.reset();
  }
  if (exchange_->is_handling && !is_cut_) answer_late();
  worker_.loop_.disarm(handler_deadline_);
  ahead_.rest();
  if (is_cut_) {
    is_connection_lost_ = true;
    if (exchange_->is_handling) part_with_handler();
    co_return;
  }
  conclude_handler();
}

bool Session::must_answer_late() const {
  return (is_handler_late_ || exchange_->has_given_up) && !has_begun_response();
}

// The handler keeps its exchange and goes on; the client gets an answer without it, and what comes next a new exchange.
void Session::answer_late() {
  if (is_handler_late_) {
    worker_.count(&Metrics::handler_timeouts);
    exchange_->stop.request_stop(async::StopReason::handler_timeout);
  }
  const std::uint64_t number = exchange_->request_number;
  const TimePoint started = exchange_->started_at;
  const LateAnswer answer = std::move(exchange_->late_answer);
  std::optional<net::Address> shown;  // who the handler says it was
  if (exchange_->shown_ends != nullptr) shown = exchange_->shown_ends->remote;
  const Bytes head = exchange_->input.readable().substr(0, exchange_->head_bytes);
  const Bytes behind = exchange_->input.readable().substr(head.size() + exchange_->inline_body_bytes);
  Buffer rest = worker_.buffers_.take(head.size() + behind.size());
  rest.append(head);
  rest.append(behind);
  if (!is_body_complete_) keeps_alive_ = false;
  is_body_complete_ = true;  // as far as this exchange goes
  part_with_handler();
  take_exchange();
  introduce_guest();
  exchange_->begin();
  exchange_->is_plain = false;
  exchange_->input = std::move(rest);
  exchange_->head_bytes = exchange_->parser.parse(exchange_->input.readable(), exchange_->head).value_or(0);
  exchange_->request_number = number;
  exchange_->started_at = started;
  if (shown) exchange_->show_remote(std::move(*shown));
  answer_with(answer);
}

void Session::move_handler_deadline() {
  if (handler_deadline_.is_armed()) worker_.loop_.arm(handler_deadline_, exchange_->deadline);
}

void Session::part_with_handler() {
  exchange_->own_ends = guest_->part_with_ends();
  exchange_->session = nullptr;
  ahead_.dismiss();
  out_.dismiss();
  worker_.adopt(std::move(exchange_));
}

void Session::refuse_thrown(const std::string& what) {
  const http::RequestHead& head = exchange_->head;
  const bool tells_target = !options().secure_error_log_message;
  worker_.server_.log("handler of " + std::string(head.method_text) + " " +
                      (tells_target ? std::string(head.target) : std::string("a request")) + " threw: " + what);
  worker_.count(&Metrics::handlers_threw);
  exchange_->hijack.reset();
  if (has_begun_response()) {
    cut_short();
  } else {
    exchange_->ctx.error(500, "internal server error");
  }
}

void Session::input_ended() {
  if (ahead_.has_finished()) return request_stop(async::StopReason::peer_finished);
  if (ahead_.error() == std::errc::timed_out) return;
  is_connection_lost_ = true;
  out_.break_off();
}

void Session::output_broke() { request_stop(async::StopReason::peer_reset); }

// ---- the response ----------------------------------------------------------------------------------------

async::Soon<> Session::finish() {
  Exchange& exchange = *exchange_;
  exchange.session = nullptr;
  const bool announces_end = guest_->drains() != Drain::none && !has_begun_response();
  if (announces_end || exchange.response.close) keeps_alive_ = false;
  if ((!exchange.is_plain || !exchange.response.is_plain) && is_special()) [[unlikely]]
    return finish_slowly();
  if (exchange.response.status == 205) exchange.response.drop_body();  // RFC 9110 §15.3.6: it has none
  const bool is_large = exchange.response.body_bytes().size() >= kLargeBodyBytes && !is_silent(exchange);
  write_response(exchange, !is_large);
  if (is_large) return send_large_body();
  return conclude_exchange();
}

bool Session::is_special() const { return !is_body_complete_ || has_begun_response() || exchange_->hijack; }

Task<> Session::send_large_body() {
  response_bytes_ = exchange_->response.body_bytes().size();
  co_await out_.flush(exchange_->response.body_bytes());
  bytes_in_a_row_ += response_bytes_;
  co_await conclude_exchange();
}

// Where something has to be waited for, or the response is no plain one.
Task<> Session::finish_slowly() {
  Exchange& exchange = *exchange_;
  const bool may_drop_body = !is_body_complete_ && !owes_continue_;  // otherwise it may or may not come
  if (!is_body_complete_ && !may_drop_body) keeps_alive_ = false;
  bool is_whole = true;
  if (has_begun_response()) {
    const Result<void> ended = end_stream();
    if (!ended) worker_.server_.log("a response was cut short: " + ended.error().message());
    is_whole = ended && !ends_with_connection_;
  } else if (!exchange.hijack || exchange.hijack->has_response) {
    write_response(exchange, true);
  }
  body_writer_.reset();
  if (may_drop_body && (keeps_alive_ || exchange.hijack)) co_await drop_body();
  // What is not whole, or ends with the connection, leaves none to be taken over.
  if (exchange.hijack && (!is_whole || !is_body_complete_)) exchange.hijack.reset();
  if (!exchange.hijack) co_return co_await conclude_exchange();
  keeps_alive_ = false;
  worker_.count_exchange(exchange, response_bytes_);
}

// What is behind the request goes to the front of the input.
async::Soon<> Session::conclude_exchange() {
  Exchange& exchange = *exchange_;
  guest_->count_answer();
  worker_.count_exchange(exchange, response_bytes_);  // while its octets are there
  const std::size_t consumed = exchange.head_bytes + exchange.inline_body_bytes;
  exchange.input.consume(consumed);
  if (!exchange.is_plain) [[unlikely]]
    take_what_is_behind();
  bytes_in_a_row_ += consumed;
  if (!exchange.is_plain && has_own_write_limits_) [[unlikely]]
    return flush_within_own_limits();
  if (++exchanges_in_a_row_ >= kMaxExchangesInARow || bytes_in_a_row_ >= kMaxBytesInARow) return let_others_run();
  if (out_.gathered().size() >= kMaxGatheredBytes && !out_.push()) return let_others_run();
  return {};
}

[[gnu::noinline]] void Session::take_what_is_behind() {
  Buffer& behind = ahead_.octets();
  if (exchange_->input.empty()) {
    std::swap(exchange_->input, behind);
  } else {
    exchange_->input.append(behind.readable());
  }
  behind.clear();
}

// What this exchange has to send goes by its limits, which end with it.
[[gnu::cold]] Task<> Session::flush_within_own_limits() {
  co_await out_.flush();
  has_own_write_limits_ = false;
  out_.set_deadline(kNever);
  out_.set_limits({options().write_timeout, options().write_min_rate});
}

void Session::set_write_deadline(TimePoint deadline) {
  has_own_write_limits_ = true;
  out_.set_deadline(deadline);
}

void Session::write_response(Exchange& exchange, bool with_body) {
  if (is_usual(exchange)) [[likely]]
    return write_usual_response(exchange, with_body);
  const Result<http::BodyLength> written = try_write_response(exchange, with_body);
  if (written) return;
  worker_.server_.log("a response could not be sent: " + written.error().message());
  exchange.hijack.reset();
  exchange.ctx.error(500, "internal server error");
  (void)try_write_response(exchange, with_body);
}

// Whether it is one that http::write_plain_response() can write.
inline bool Session::is_usual(const Exchange& exchange) const {
  const ResponseParts& response = exchange.response;
  const bool has_length = response.status >= 200 && response.status <= http::kMaxStatus &&
                          !http::forbids_body(response.status) && response.status != 205;
  return response.is_plain && has_length && response.fields.empty() && keeps_alive_ && !exchange.head.is_http_1_0;
}

inline void Session::write_usual_response(const Exchange& exchange, bool with_body) {
  const ResponseParts& response = exchange.response;
  const Bytes body = response.body_bytes();
  const Bytes sent = with_body && !is_silent(exchange) ? body : Bytes();
  const std::size_t before = out_.gathered().size();
  const std::string_view opening = worker_.plain_opening(response.status, content_type(response, body.size()));
  http::write_plain_response(out_.gathered(), opening, body.size(), sent);
  bytes_in_a_row_ += out_.gathered().size() - before;
  response_bytes_ = sent.size();
}

// What it is said to be, unless somebody has said that nothing is.
inline http::FieldValue Session::content_type(const ResponseParts& response, http::KnownLength length) const {
  const bool has_default = response.content_type.empty() && length != http::KnownLength(0) &&
                           !http::forbids_body(response.status) && !options().no_default_content_type;
  return has_default ? kDefaultContentType : http::FieldValue::checked(response.content_type);
}

[[gnu::always_inline]] inline http::ResponseHeadParts Session::response_head(const Exchange& exchange,
                                                                             http::KnownLength length) const {
  const ResponseParts& response = exchange.response;
  const http::Fields& fields = response.fields.view();
  http::ResponseHeadParts parts;
  parts.status = response.status;
  parts.fields = response.fields;
  parts.content_type = content_type(response, length);
  parts.length = length;
  parts.request_method = exchange.head.method;
  parts.is_for_http_1_0 = exchange.head.is_http_1_0;
  parts.keeps_alive = keeps_alive_;
  const bool says_so_itself =
      !fields.empty() && (fields.contains(FieldName::date) || fields.contains(FieldName::server));
  if (!response.is_plain || says_so_itself) [[unlikely]] {
    make_special(parts, exchange);
  } else {
    parts.defaults.opening = worker_.prefix(response.status);
  }
  return parts;
}

// What most responses do not ask for.
[[gnu::cold]] void Session::make_special(http::ResponseHeadParts& parts, const Exchange& exchange) const {
  const ResponseParts& response = exchange.response;
  parts.defaults.server = worker_.server_line_;
  if (!options().no_default_date) parts.defaults.date = worker_.date_line();
  if (!response.reason.empty()) parts.reason = response.reason;
  parts.no_default_server = response.no_default_server;
  parts.no_default_date = response.no_default_date;
  if (response.no_default_content_type) parts.content_type = http::FieldValue::checked(response.content_type);
  if (exchange.hijack) parts.keeps_alive = true;
}

Result<http::BodyLength> Session::try_write_response(const Exchange& exchange, bool with_body) {
  const ResponseParts& response = exchange.response;
  const Bytes body = with_body && !is_silent(exchange) ? response.body_bytes() : Bytes();
  response_bytes_ = body.size();
  const http::KnownLength length =
      http::forbids_body(response.status) ? http::KnownLength() : http::KnownLength(response.body_bytes().size());
  const std::size_t before = out_.gathered().size();
  Result<http::BodyLength> written = http::write_response_head(out_.gathered(), response_head(exchange, length), body);
  bytes_in_a_row_ += out_.gathered().size() - before;
  return written;
}

// ---- responses that are streamed -------------------------------------------------------------------------

Result<void> Session::begin_stream() {
  Exchange& exchange = *exchange_;
  exchange.is_plain = false;
  worker_.loop_.disarm(handler_deadline_);
  if (guest_->drains() != Drain::none || exchange.response.close) keeps_alive_ = false;
  if (!is_body_complete_ && std::exchange(owes_continue_, false)) keeps_alive_ = false;
  const Result<http::BodyLength> length =
      http::write_response_head(out_.gathered(), response_head(exchange, exchange.response.stream_length));
  if (!length) return fail(length.error());
  ends_with_connection_ = length->kind == http::BodyLength::Kind::until_close;
  if (ends_with_connection_) keeps_alive_ = false;
  body_writer_.emplace(*length);
  response_bytes_ = 0;
  is_stream_cut_ = false;
  return {};
}

async::Soon<Result<void>> Session::write_body(Bytes data) {
  if (!has_begun_response()) {
    const Result<void> begun = begin_stream();
    if (!begun) return begun;
  }
  if (is_lost()) return Result<void>(fail(loss()));
  if (is_stream_cut_) return Result<void>(fail(Errc::operation_canceled));
  if (!is_silent(*exchange_)) {
    const Result<void> written = body_writer_->write(out_.gathered(), data);
    if (!written) return written;
    response_bytes_ += data.size();
  }
  if (out_.gathered().size() < options().write_buffer_bytes) return Result<void>();
  return flush_body();
}

Task<Result<void>> Session::flush_body() {
  if (!has_begun_response()) {
    const Result<void> begun = begin_stream();
    if (!begun) co_return begun;
  }
  if (must_end() && !out_.push()) is_stream_cut_ = true;
  if (is_stream_cut_) co_return fail(Errc::operation_canceled);
  if (!co_await out_.flush()) co_return fail(Errc::operation_canceled);  // and the session may be gone
  if (is_lost()) co_return fail(loss());
  co_return Result<void>();
}

// What writing to a connection that is lost comes to.
Errc Session::loss() const {
  const bool is_late = out_.failure() == Outbox::Failure::timed_out || out_.failure() == Outbox::Failure::too_slow;
  return is_late ? Errc::timed_out : Errc::connection_reset;
}

// The end of a body that the handler has written; nothing ends the one of a handler that has thrown.
Result<void> Session::end_stream() {
  if (is_stream_cut_) {
    cut_short();
    return fail(Errc::operation_canceled);
  }
  if (exchange_->thrown || is_silent(*exchange_)) return {};
  const Result<void> finished = body_writer_->finish(out_.gathered(), exchange_->response.trailers.view());
  if (!finished) keeps_alive_ = false;
  return finished;
}

// Does what a handler would that writes its response piece by piece, and fares as it does.
Task<> Session::send_source(Exchange& exchange) {
  RequestCtx& ctx = exchange.ctx;
  Result<void> went = co_await ctx.write(Bytes());  // the head
  std::vector<char> room(is_silent(exchange) ? 0 : kSourceBytes);
  while (went && !room.empty()) {
    const Result<std::size_t> count = co_await exchange.response.source->read(room);
    if (!count) throw std::system_error(count.error(), "its body source failed");
    if (*count == 0) co_return;
    const Bytes piece(room.data(), std::min(*count, room.size()));
    went = co_await ctx.write(piece);
  }
  if (went == fail(Errc::wrong_body_size)) throw std::system_error(went.error(), "its body source");
}

// The end of a body is missing, which tells the client; but not where the connection's end is that of the body.
void Session::cut_short() {
  keeps_alive_ = false;
  if (!ends_with_connection_) return;
  (void)out_.push();
  is_connection_lost_ = true;
  connection_->abort();
}

Result<void> Session::send_interim(int status, const http::OwnedFields& fields) {
  if (has_begun_response()) return fail(Errc::bad_status);
  const Result<void> written =
      http::write_interim_response(out_.gathered(), status, exchange_->head.is_http_1_0, fields);
  if (written) (void)out_.push();
  return written;
}

// ---- the end ---------------------------------------------------------------------------------------------

Task<> Session::let_others_run() {
  exchanges_in_a_row_ = 0;
  bytes_in_a_row_ = 0;
  co_await out_.flush();
  co_await async::YieldToLoop(worker_.loop_);
}

// The connection is another's from now on.
Task<> Session::hand_over() {
  co_await out_.flush();
  worker_.count_failure(out_.failure());
  show(ConnState::hijacked);
  if (is_lost()) co_return;
  connection_->set_deadline(Direction::read, kNever);
  connection_->set_deadline(Direction::write, kNever);
  exchange_->input.consume(exchange_->head_bytes + exchange_->inline_body_bytes);
  exchange_->input.append(ahead_.octets().readable());
  HijackedConnection hijacked;
  hijacked.stream = net::with_leftover(worker_.loop_, guest_->part_with_connection(), exchange_->input.readable());
  hijacked.local = guest_->ends().local;
  hijacked.remote = guest_->ends().remote;
  hijacked.runtime = &worker_.runtime_;
  hijacked.stop = worker_.stopping_.token();
  worker_.hand_over(std::move(exchange_->hijack->handler), std::move(hijacked));
}

// Answers what cannot be served; the connection closes after it.
void Session::refuse(Errc error) {
  const ErrcRow& row = errc_row(error);
  refuse_with(row.status == 0 ? 400 : row.status, row.message, error);
}

void Session::refuse_with(int status, std::string_view message, Errc error) {
  keeps_alive_ = false;
  state_ = State::reading;  // also of empty lines: there is an answer now that must not be lost
  if (options().log_all_errors) worker_.server_.log("refused a request: " + std::string(message));
  worker_.count(&Metrics::refused);
  if (exchange_->head_bytes == 0) exchange_->started_at = now();
  exchange_->request_number = guest_->answered() + 1;
  exchange_->ctx.error(status, message);
  if (error == Errc::method_not_allowed) (void)exchange_->response.fields.set("Allow", "GET, HEAD");
  if (options().on_error) options().on_error(exchange_->ctx, error);
  write_response(*exchange_, true);
  worker_.count_response(*exchange_, response_bytes_);
}

}  // namespace pipette::server
