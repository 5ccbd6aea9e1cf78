#include "pipette/server/worker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/yield.h"
#include "pipette/http/status.h"
#include "pipette/server/session.h"

namespace pipette::server {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(5);
constexpr unsigned kMaxAcceptsInARow = 64;
constexpr Duration kLongestPause = std::chrono::seconds(1);
// For sessions to notice that their connections were aborted.
constexpr Duration kAbortGrace = std::chrono::milliseconds(100);

}  // namespace

// A listener that is being served, where shutdown finds it.
struct Worker::Acceptor : ListNode {
  explicit Acceptor(std::unique_ptr<net::Listener> served) : listener(std::move(served)) {}
  std::unique_ptr<net::Listener> listener;
};

// Says that draining is over, when it is time.
struct Worker::Deadline final : async::Timer {
  explicit Deadline(async::Event& over) : event(over) {}
  void run() override { event.set(); }
  async::Event& event;
};

Worker::Worker(const Server& server, Runtime& runtime)
    : server_(server),
      runtime_(runtime),
      loop_(runtime.loop()),
      exchanges_(server.options().head),
      stopping_(runtime.loop()),
      drained_(runtime.loop()),
      sessions_(runtime.loop()) {
  server.workers_.fetch_add(1, std::memory_order_relaxed);
  if (!server.options().name.empty()) server_line_ = "Server: " + server.options().name + "\r\n";
}

Worker::~Worker() { server_.workers_.fetch_sub(1, std::memory_order_relaxed); }

std::string_view Worker::prefix(int status) {
  const WallTime now = loop_.wall_now();
  if (status != prefix_status_ || now >= prefix_until_ || now < prefix_until_ - std::chrono::seconds(1)) {
    prefix_ = http::status_line(status);
    prefix_ += server_line_;
    prefix_ += date_.at(now);
    prefix_status_ = status;
    prefix_until_ = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds(1);
  }
  return prefix_;
}

Task<> Worker::serve(std::unique_ptr<net::Listener> listener) {
  if (is_draining_) co_return;
  Acceptor acceptor(std::move(listener));
  acceptors_.push_back(acceptor);
  Duration pause = kFirstPause;
  for (unsigned in_a_row = 0;; ++in_a_row) {
    if (in_a_row == kMaxAcceptsInARow) {
      in_a_row = 0;
      co_await async::YieldToLoop(loop_);
    }
    Result<net::Connected> connected = co_await acceptor.listener->accept();
    if (connected) {
      pause = kFirstPause;
      if (open_ >= server_.options().max_connections) continue;  // and so it is aborted
      sessions_.spawn(serve_connection(std::move(*connected)));
      continue;
    }
    if (connected.error() == make_error_code(Errc::listener_closed)) co_return;
    server_.log("accept on " + acceptor.listener->address().to_string() + " failed: " + connected.error().message());
    co_await async::sleep_until(loop_, after(loop_.now(), pause), stopping_.token());
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<> Worker::serve_connection(net::Connected connected) {
  ++open_;  // from now on, though it runs later: neither the limit nor a shutdown may overlook it
  return run_session(std::move(connected));
}

Task<> Worker::run_session(net::Connected connected) {
  Session session(*this, std::move(connected));
  open_sessions_.push_back(session);
  try {
    co_await session.run();
  } catch (const std::exception& error) {
    server_.log("a connection was dropped: " + std::string(error.what()));  // out of memory, most likely
  }
  --open_;
  if (open_ == 0) drained_.set();
}

Task<ShutdownReport> Worker::shutdown(TimePoint deadline) {
  is_draining_ = true;
  stopping_.request_stop(async::StopReason::shutdown);
  acceptors_.for_each([](Acceptor& acceptor) { acceptor.listener->close(); });
  open_sessions_.for_each([](Session& session) { session.drain(); });

  ShutdownReport report;
  Deadline timer(drained_);
  if (open_ > 0) {
    drained_.reset();
    loop_.arm(timer, deadline);
    co_await drained_.wait();
  }
  if (open_ > 0) {
    report.cut = open_;
    open_sessions_.for_each([](Session& session) { session.abort(); });
    drained_.reset();
    loop_.arm(timer, after(loop_.now(), kAbortGrace));
    co_await drained_.wait();
  }
  loop_.disarm(timer);
  report.served = served_;
  report.overdue = open_;
  co_return report;
}

}  // namespace pipette::server
