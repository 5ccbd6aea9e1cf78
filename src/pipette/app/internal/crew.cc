#include "pipette/app/internal/crew.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <exception>
#include <thread>
#include <utility>

#include "pipette/app/internal/cores.h"
#include "pipette/tcp/handed.h"

namespace pipette::app {
namespace {

constexpr int kMaxHandedInARow = 64;

Task<> let_end(Task<server::ShutdownReport> shutdown) { (void)co_await shutdown; }

}  // namespace

struct Crew::Served {
  std::unique_ptr<net::Listener> listener;
  net::Security* security;
};

// What one thread has. Made and destroyed by the thread that made the crew, while no other runs.
struct Crew::Member {
  Member(const Server& of, const tcp::ThreadPoolOptions& blocking)
      : server(of), runtime(blocking), worker(of, runtime), told(runtime.loop()), tasks(runtime.loop()) {}

  // Connections that it has, and those that it will have in a moment. From any thread.
  std::uint64_t load() const {
    return worker.metrics().open_connections.get() + on_the_way.load(std::memory_order_relaxed);
  }
  void hand(tcp::Handed handed, net::Security* security);
  void receive(tcp::Handed handed, net::Security* security);

  const Server& server;
  tcp::Runtime runtime;
  server::Worker worker;
  std::vector<Served> listeners;  // until its thread runs
  std::atomic<std::uint64_t> on_the_way = 0;
  std::optional<Deadline> deadline;
  async::Event told;  // the deadline
  server::ShutdownReport report;
  std::exception_ptr failure;
  std::thread thread;
  async::TaskGroup tasks;  // last: they use all that stands above
};

void Crew::Member::hand(tcp::Handed handed, net::Security* security) {
  on_the_way.fetch_add(1, std::memory_order_relaxed);
  runtime.loop().post(
      [this, security, on_its_way = std::move(handed)]() mutable { receive(std::move(on_its_way), security); });
}

void Crew::Member::receive(tcp::Handed handed, net::Security* security) {
  Result<net::Connected> connected = tcp::take(runtime, std::move(handed));
  if (connected) {
    tasks.spawn(worker.serve_connection(std::move(*connected), security));
  } else {
    server.log("a connection was dropped: " + connected.error().message());
  }
  on_the_way.fetch_sub(1, std::memory_order_relaxed);
}

// A listener that keeps what is for its own loop. Whoever serves it deals with what goes wrong, as with any.
class Crew::Distributor final : public net::Listener {
 public:
  Distributor(std::unique_ptr<net::Listener> listener, net::Security* security,
              std::vector<std::unique_ptr<Member>>& members)
      : listener_(std::move(listener)), security_(security), members_(members) {}

  Result<net::Connected> try_accept() override {
    for (int in_a_row = 0; in_a_row < kMaxHandedInARow; ++in_a_row) {
      Result<tcp::Handed> handed = tcp::accept_to_hand(*listener_);
      if (!handed) return fail(handed.error());
      Member& idlest = **std::ranges::min_element(members_, {}, [](const auto& member) { return member->load(); });
      if (&idlest == members_.front().get()) return tcp::take(idlest.runtime, std::move(*handed));
      idlest.hand(std::move(*handed), security_);
    }
    return fail(Errc::would_block);  // there may be more, and waiting ends at once then
  }
  void wait(net::Waiter& waiter) override { listener_->wait(waiter); }
  bool shed() override { return listener_->shed(); }
  void close() override { listener_->close(); }
  net::Address address() const override { return listener_->address(); }

 private:
  std::unique_ptr<net::Listener> listener_;
  net::Security* security_;
  std::vector<std::unique_ptr<Member>>& members_;
};

Crew::Crew(const Server& server, const CrewOptions& options) : pins_(options.pins), first_core_(options.first_core) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options.size, 1); ++i) {
    members_.push_back(std::make_unique<Member>(server, options.blocking));
  }
  all_ended_.emplace(first().loop());
  all_answered_.emplace(first().loop());
}

Crew::~Crew() {
  assert(std::ranges::none_of(members_, [](const auto& member) { return member->thread.joinable(); }));
}

tcp::Runtime& Crew::runtime(std::size_t member) { return members_[member]->runtime; }

void Crew::add(std::size_t member, std::unique_ptr<net::Listener> listener, net::Security* security) {
  members_[member]->listeners.push_back({std::move(listener), security});
}

void Crew::distribute(std::unique_ptr<net::Listener> listener, net::Security* security) {
  auto distributor = std::make_unique<Distributor>(std::move(listener), security, members_);
  distributors_.push_back(distributor.get());
  add(0, std::move(distributor), security);
}

server::ShutdownReport Crew::run(Task<> beside) {
  const std::vector<int> cores = usable_cores();
  const auto core_of = [&](std::size_t member) { return cores[(first_core_ + member) % cores.size()]; };
  std::exception_ptr failure;
  try {
    for (std::size_t i = 1; i < members_.size(); ++i) {
      ++at_work_;
      members_[i]->thread = std::thread([this, i, core = core_of(i)] {
        std::optional<Pinned> pinned;
        if (pins_) pinned.emplace(core);
        run_on_thread(*members_[i]);
      });
    }
    std::optional<Pinned> pinned;
    if (pins_) pinned.emplace(core_of(0));
    first().run(lead(std::move(beside)));
  } catch (...) {
    failure = std::current_exception();
    for (const auto& member : members_) tell(*member, {first().loop().now(), server::IdleOnes::close});
  }
  server::ShutdownReport sum;
  for (const auto& member : members_) {
    if (member->thread.joinable()) member->thread.join();
    if (!failure) failure = member->failure;
    sum += member->report;
  }
  if (failure) std::rethrow_exception(failure);
  return sum;
}

void Crew::run_on_thread(Member& member) {
  try {
    member.runtime.run(work(member));
  } catch (...) {
    member.failure = std::current_exception();
  }
  first().loop().post([this, has_failed = member.failure != nullptr] {
    if (has_failed) end({});
    member_ended();
  });
}

void Crew::member_ended() {
  if (--at_work_ == 0) all_ended_->set();
}

Task<> Crew::lead(Task<> beside) {
  async::TaskGroup besides(first().loop());
  besides.spawn(std::move(beside));
  co_await work(*members_.front());
  if (at_work_ > 0) co_await all_ended_->wait();
}

Task<> Crew::work(Member& member) {
  async::TaskGroup accepting(member.runtime.loop());
  for (Served& served : member.listeners) {
    accepting.spawn(member.worker.serve(std::move(served.listener), served.security));
  }
  co_await member.told.wait();
  member.report =
      co_await member.worker.shutdown(member.deadline->time, server::Worker::kStopNotice, member.deadline->idle);
  co_await accepting.join();
}

// Nobody accepts for the others any more when they are told, so what is on its way to them comes before that.
void Crew::end(const Order& order) {
  for (Distributor* const distributor : std::exchange(distributors_, {})) distributor->close();
  const Deadline deadline = {after(first().loop().now(), order.grace), order.idle};
  for (const auto& member : members_) tell(*member, deadline);
}

Task<> Crew::call_the_roll() {
  silent_ = members_.size();
  all_answered_->reset();
  for (const auto& member : members_) {
    member->runtime.loop().post([this] { first().loop().post([this] { answer_the_roll(); }); });
  }
  co_await all_answered_->wait();
}

void Crew::answer_the_roll() {
  if (--silent_ == 0) all_answered_->set();
}

void Crew::tell(Member& member, const Deadline& deadline) {
  member.runtime.loop().post([&member, deadline] {
    if (member.deadline) {
      member.tasks.spawn(let_end(member.worker.shutdown(deadline.time, server::Worker::kStopNotice, deadline.idle)));
      return;
    }
    member.deadline = deadline;
    member.told.set();
  });
}

}  // namespace pipette::app
