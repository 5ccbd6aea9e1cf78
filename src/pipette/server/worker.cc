#include "pipette/server/worker.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/alarm.h"
#include "pipette/async/long_work.h"
#include "pipette/async/sleep.h"
#include "pipette/async/until_stopped.h"
#include "pipette/async/yield.h"
#include "pipette/http/status.h"
#include "pipette/net/close.h"
#include "pipette/server/session.h"

namespace pipette::server {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(5);
constexpr unsigned kMaxAcceptsInARow = 4;  // each begins a session, which may end at once
// Connections that are dropped before an accept is tried again: as many as may wait, unless somebody asked for more.
constexpr unsigned kMaxShedsInARow = 1024;
constexpr Duration kLongestPause = std::chrono::seconds(1);
// Sessions that wait for a guest.
constexpr std::size_t kMaxFreeSessions = 16;
// For sessions to notice that their connections were aborted.
constexpr Duration kAbortGrace = std::chrono::milliseconds(100);
// Connections that are being told so; beyond, they are just closed.
constexpr std::size_t kMaxRefusals = 64;

Task<> nothing() { co_return; }

}  // namespace

// A listener that is being served, where shutdown finds it.
struct Worker::Acceptor : ListNode {
  explicit Acceptor(std::unique_ptr<net::Listener> served) : listener(std::move(served)) {}
  std::unique_ptr<net::Listener> listener;
};

// A connection that is being refused, where shutdown finds it.
struct Worker::Refused : ListNode {
  explicit Refused(net::Connected of) : connected(std::move(of)) {}
  net::Connected connected;
};

// Somebody who waits for the last connection to end.
struct Worker::Ending : ListNode {
  explicit Ending(async::Loop& loop) : event(loop) {}
  async::Event event;
};

Worker::Worker(const Server& server, Runtime& runtime)
    : server_(server),
      runtime_(runtime),
      loop_(runtime.loop()),
      exchanges_(server.options().head, loop_),
      has_rules_(server.options().on_header_received || server.options().get_only),
      tells_access_(server.options().on_access),
      stopping_(loop_),
      cutting_(loop_),
      handlers_(loop_),
      hijackers_(loop_),
      refusals_(loop_),
      sessions_(loop_) {
  if (!server.options().name.empty()) server_line_ = "Server: " + server.options().name + "\r\n";
  server.enter(metrics_);
}

Worker::~Worker() { server_.leave(metrics_); }

void Worker::make_prefix(int status, WallTime now) {
  prefix_ = http::status_line(status);
  prefix_ += server_line_;
  if (!server_.options().no_default_date) prefix_ += date_.at(now);
  prefix_status_ = status;
  prefix_second_ = std::chrono::floor<std::chrono::seconds>(now);
}

void Worker::make_plain_opening(int status, std::string_view start, http::FieldValue type) {
  http::DefaultLines defaults;
  defaults.opening = start;
  http::make_plain_opening(status, defaults, type, plain_opening_);
  plain_type_ = type.text();
  plain_status_ = status;
  plain_second_ = prefix_second_;
}

// ---- connections -----------------------------------------------------------------------------------------

Task<> Worker::serve(std::unique_ptr<net::Listener> listener, net::Security* security) {
  if (state_ != WorkerState::running) co_return;
  Acceptor acceptor(std::move(listener));
  acceptors_.push_back(acceptor);
  Duration pause = kFirstPause;
  for (unsigned in_a_row = 0;; ++in_a_row) {
    if (security != nullptr) {
      co_await async::LongWork(loop_);  // among the handshakes, so that no more begin than end
    } else if (in_a_row == kMaxAcceptsInARow) {
      in_a_row = 0;
      co_await async::YieldToLoop(loop_);
    }
    Result<net::Connected> connected = co_await acceptor.listener->accept();
    if (connected) {
      pause = kFirstPause;
      std::optional<Places::Place> place = admit(*connected, security != nullptr);
      if (place) sessions_.spawn(welcome(std::move(*connected), security, std::move(*place)));
      continue;
    }
    if (connected.error() == make_error_code(Errc::listener_closed)) co_return;
    count(&Metrics::accept_errors);
    server_.log("accept on " + acceptor.listener->address().to_string() + " failed: " + connected.error().message());
    if (net::is_out_of_descriptors(connected.error())) co_await shed(*acceptor.listener);
    co_await async::sleep_until(loop_, after(loop_.now(), pause), stopping_.token());
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<> Worker::shed(net::Listener& listener) {
  for (unsigned in_a_row = 1; in_a_row <= kMaxShedsInARow && listener.shed(); ++in_a_row) {
    count(&Metrics::connections_shed);
    if (in_a_row % kMaxAcceptsInARow == 0) co_await async::YieldToLoop(loop_);
  }
}

Task<> Worker::serve_connection(net::Connected connected, net::Security* security) {
  std::optional<Places::Place> place = admit(connected, security != nullptr);
  if (!place) return nothing();
  return welcome(std::move(connected), security, std::move(*place));
}

// Counts a connection from now on, though it is served later: neither a limit nor a shutdown may overlook it. One that
// is too many is dealt with here. One that has been evicted is gone only when its session has seen it.
std::optional<Places::Place> Worker::admit(net::Connected& connected, bool is_to_be_secured) {
  count(&Metrics::accepted);
  Places& places = server_.places_;
  std::expected<Places::Place, Places::Excess> place = places.take(connected.remote);
  if (!place && place.error() == Places::Excess::of_all && server_.options().evict_idle) {
    place = places.take_in_advance(connected.remote);  // nobody goes for an address that has enough
    if (place && !evict_idle()) place = std::unexpected(Places::Excess::of_all);
  }
  if (place) {
    ++open_;
    metrics_.open_connections.add(1);
    return std::move(*place);
  }
  const bool is_too_many = place.error() == Places::Excess::of_all;
  count(is_too_many ? &Metrics::rejected_concurrency : &Metrics::rejected_per_ip);
  // In the clear: who expects TLS would not understand it, and a handshake is too much work for a refusal.
  const bool can_be_told = !is_to_be_secured && refusals_.size() < kMaxRefusals;
  const bool is_told = can_be_told && server_.options().refusal == Refusal::answer;
  if (is_told) refusals_.spawn(refuse(std::move(connected), is_too_many ? 503 : 429));
  connected.connection.reset();
  return std::nullopt;
}

Task<> Worker::refuse(net::Connected connected, int status) {
  Refused refused(std::move(connected));
  refused_.push_back(refused);
  net::Connection& connection = *refused.connected.connection;
  const std::string_view message = status == 503 ? "too many connections" : "too many connections from this address";
  std::string text(prefix(status));
  text += "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(message.size()) +
          "\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
  text += message;
  const TimePoint deadline = after(loop_.now(), server_.options().linger_timeout);
  connection.set_deadline(net::Direction::write, deadline);
  const std::array<Bytes, 1> pieces = {text};
  const Result<void> written = co_await connection.write(pieces);
  if (!written) co_return;
  add(&Metrics::bytes_sent, text.size());
  (void)co_await net::close(connection, deadline);
}

// Small parameters, since they stay for as long as the connection does.
Task<> Worker::welcome(net::Connected connected, net::Security* security, Places::Place place) {
  auto ends = std::make_unique<Ends>(std::move(connected.local), std::move(connected.remote));
  return serve_guest(std::move(connected.connection), std::move(ends), security, std::move(place));
}

Task<> Worker::serve_guest(std::unique_ptr<net::Connection> connection, std::unique_ptr<Ends> ends,
                           net::Security* security, [[maybe_unused]] Places::Place place) {
  try {
    if (security != nullptr) co_await secure(connection, *ends, *security);
    if (connection != nullptr) {
      Guest guest(*this, std::move(connection), std::move(ends), ++connections_);
      guests_.push_back(guest);
      guest.show(ConnState::accepted);
      while (co_await guest.serve()) {
        guest.rest();
        co_await guest.more();
      }
    }
  } catch (const std::exception& error) {
    server_.log("a connection was dropped: " + std::string(error.what()));  // out of memory, most likely
  }
  --open_;
  metrics_.open_connections.subtract(1);
  note_end();
}

// Puts the secured connection in the place of the other, or nothing. A shutdown that has come to its deadline cuts it.
Task<> Worker::secure(std::unique_ptr<net::Connection>& connection, Ends& ends, net::Security& security) {
  count(&Metrics::tls_handshakes);
  const TimePoint deadline = after(loop_.now(), server_.options().tls_handshake_timeout);
  Task<Result<net::Secured>> handshake = security.server(runtime_, std::move(connection), deadline);
  Task<std::optional<Result<net::Secured>>> shaking =
      async::until_stopped(loop_, std::move(handshake), cutting_.token());
  std::optional<Result<net::Secured>> secured = co_await shaking;
  if (!secured) co_return;
  if (*secured) {
    connection = std::move((*secured)->connection);
    ends.security = std::make_shared<const net::SecurityFacts>(std::move((*secured)->facts));
    co_return;
  }
  const std::error_code error = secured->error();
  count(&Metrics::tls_handshake_failures);
  if (error == make_error_code(Errc::timed_out)) count(&Metrics::tls_handshake_timeouts);
  if (server_.options().log_all_errors) {
    const std::string who = server_.options().secure_error_log_message ? "a client" : ends.remote.to_string();
    server_.log("the TLS handshake with " + who + " failed: " + error.message());
  }
}

void Worker::note_end() {
  if (open_ == 0 && overdue_ == 0) endings_.for_each([](Ending& ending) { ending.event.set(); });
}

std::unique_ptr<Session> Worker::take_session(Guest& guest) {
  std::unique_ptr<Session> session;
  if (free_sessions_.empty()) {
    session = std::make_unique<Session>(*this);
  } else {
    session = std::move(free_sessions_.back());
    free_sessions_.pop_back();
  }
  session->attach(guest);
  return session;
}

void Worker::give_back(std::unique_ptr<Session> session) {
  const bool has_room = free_sessions_.size() < kMaxFreeSessions;
  if (has_room && session->detach()) free_sessions_.push_back(std::move(session));
}

// Makes room by closing the connection that has waited longest for a request, if one does.
bool Worker::evict_idle() {
  if (idle_.empty()) return false;
  Guest::IdlePlace& longest = idle_.front();
  longest.unlink();
  longest.guest.evict();
  count(&Metrics::evicted);
  return true;
}

bool Worker::evict(std::uint64_t connection_id) {
  bool is_found = false;
  guests_.for_each([&](Guest& guest) {
    if (guest.id() != connection_id) return;
    is_found = true;
    guest.evict();
  });
  if (is_found) count(&Metrics::evicted);
  return is_found;
}

// ---- handlers --------------------------------------------------------------------------------------------

void Worker::run_handler(Exchange& exchange, Task<> handler) {
  exchange.is_plain = false;
  exchange.is_handling = true;
  exchange.handler = std::move(handler);
  handlers_.spawn(await_handler(exchange));
}

Task<> Worker::await_handler(Exchange& exchange) {
  try {
    co_await exchange.handler;
    if (Session::wants_source_sent(exchange)) {
      exchange.handler = Session::send_source(exchange);
      co_await exchange.handler;
    }
  } catch (const std::exception& error) {
    exchange.thrown = error.what();
  } catch (...) {
    exchange.thrown = "not a std::exception";
  }
  exchange.handler = Task<>();
  exchange.is_handling = false;
  if (exchange.session != nullptr) {
    exchange.session->attend();
  } else {
    release(exchange);
  }
}

void Worker::adopt(std::unique_ptr<Exchange> exchange) {
  late_.push_back(std::move(exchange));
  ++overdue_;
  metrics_.handlers_overdue.add(1);
}

void Worker::release(Exchange& exchange) {
  const auto found = std::ranges::find(late_, &exchange, &std::unique_ptr<Exchange>::get);
  if (exchange.thrown) {
    count(&Metrics::handlers_threw);
    server_.log("a handler that was late threw: " + *exchange.thrown);
  }
  std::swap(*found, late_.back());
  exchanges_.give_back(std::move(late_.back()));
  late_.pop_back();
  --overdue_;
  metrics_.handlers_overdue.subtract(1);
  note_end();
}

void Worker::hand_over(HijackHandler handler, HijackedConnection connection) {
  hijackers_.spawn(run_hijacked(std::move(handler), std::move(connection)));
}

Task<> Worker::run_hijacked(HijackHandler handler, HijackedConnection connection) {
  metrics_.hijacked.add(1);
  try {
    co_await handler(std::move(connection));
  } catch (const std::exception& error) {
    server_.log("a hijacker threw: " + std::string(error.what()));
  } catch (...) {
    server_.log("a hijacker threw");
  }
  metrics_.hijacked.subtract(1);
}

// ---- counting --------------------------------------------------------------------------------------------

void Worker::count_failure(Outbox::Failure failure) {
  if (failure == Outbox::Failure::timed_out) count(&Metrics::write_timeouts);
  if (failure == Outbox::Failure::too_slow) count(&Metrics::write_rate_timeouts);
}

[[gnu::cold]] void Worker::tell_access(const Exchange& exchange, std::uint64_t body_bytes) {
  static const http::RequestHead kNone;
  const http::RequestHead& head = exchange.head_bytes > 0 ? exchange.head : kNone;
  const Duration took = loop_.now() - exchange.started_at;
  server_.options().on_access({.connection_id = exchange.connection_id,
                               .request_number = exchange.request_number,
                               .remote = exchange.ends->remote,
                               .time = loop_.wall_now() - took,
                               .method = head.method_text,
                               .target = head.target,
                               .is_http_1_0 = head.is_http_1_0,
                               .referer = head.fields.get(http::FieldName::referer).value_or(""),
                               .user_agent = head.fields.get(http::FieldName::user_agent).value_or(""),
                               .status = exchange.response.status,
                               .response_body_bytes = body_bytes,
                               .took = took});
}

// ---- shutdown --------------------------------------------------------------------------------------------

// Until no connection is open and no handler at work, or the deadline.
Task<> Worker::wait_for_end(TimePoint deadline) {
  if (open_ == 0 && overdue_ == 0) co_return;
  Ending ending(loop_);
  endings_.push_back(ending);
  const async::Alarm alarm(loop_, ending.event, deadline);
  co_await ending.event.wait();
}

void Worker::drain(Drain drain) {
  drain_ = std::max(drain_, drain);
  guests_.for_each([this](Guest& guest) { guest.drain(drain_); });
}

Task<ShutdownReport> Worker::shutdown(TimePoint deadline, Duration notice, IdleOnes idle) {
  if (state_ == WorkerState::running) state_ = WorkerState::draining;
  stopping_.request_stop(async::StopReason::shutdown);
  acceptors_.for_each([](Acceptor& acceptor) { acceptor.listener->close(); });
  drain(idle == IdleOnes::close ? Drain::at_once : Drain::after_one_more);

  ShutdownReport report;
  const TimePoint notice_at = deadline == kNever ? kNever : deadline - notice;
  for (const TimePoint until : {notice_at, deadline}) {
    co_await wait_for_end(until);
    if (drain_ == Drain::after_one_more) drain(Drain::at_once);
    stops_handlers_ = true;
    guests_.for_each([](Guest& guest) { guest.request_stop(async::StopReason::shutdown); });
    for (const std::unique_ptr<Exchange>& late : late_) late->stop.request_stop(async::StopReason::shutdown);
  }
  refused_.for_each([](Refused& refused) { refused.connected.connection->abort(); });
  cutting_.request_stop(async::StopReason::shutdown);
  if (open_ > 0) {
    report.cut = open_;
    metrics_.cut.add(open_);
    guests_.for_each([](Guest& guest) { guest.abort(); });
    co_await wait_for_end(after(loop_.now(), kAbortGrace));
  }
  report.served = served();
  report.overdue = overdue_ + open_;
  state_ = WorkerState::stopped;
  co_return report;
}

ShutdownReport& ShutdownReport::operator+=(const ShutdownReport& other) {
  served += other.served;
  cut += other.cut;
  overdue += other.overdue;
  return *this;
}

Task<ShutdownReport> shutdown_all(std::span<Worker* const> workers, TimePoint deadline, Duration notice,
                                  IdleOnes idle) {
  std::vector<Task<ShutdownReport>> shutdowns;
  for (Worker* worker : workers) shutdowns.push_back(worker->shutdown(deadline, notice, idle));
  for (Task<ShutdownReport>& shutdown : shutdowns) shutdown.start();
  ShutdownReport sum;
  for (Task<ShutdownReport>& shutdown : shutdowns) {
    const ShutdownReport report = co_await shutdown;
    sum += report;
  }
  co_return sum;
}

}  // namespace pipette::server
