// Nobody waits for a task here, but for a WaitSlot that tasks ring: so who waits has a deadline of his own, and may die
// at any moment.

#include "pipette/client/dialer.h"

#include <algorithm>
#include <array>
#include <coroutine>
#include <exception>
#include <utility>

#include "pipette/async/task_group.h"
#include "pipette/base/ascii.h"
#include "pipette/net/wait_slot.h"

namespace pipette::client {
namespace {

using net::Address;

// Of one name: what comes behind is not tried.
constexpr std::size_t kMaxAddresses = 32;

// co_await Nap(slot): until the slot is woken or its deadline has come, perhaps for nothing.
class [[nodiscard]] Nap final : public net::Waiter {
 public:
  explicit Nap(net::WaitSlot& slot) : slot_(slot) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> sleeper) {
    sleeper_ = sleeper;
    slot_.wait(*this);
  }
  void await_resume() const {}
  void run() override { sleeper_.resume(); }

 private:
  net::WaitSlot& slot_;
  std::coroutine_handle<> sleeper_;
};

// Errors by which nobody but this host has spoken.
bool is_of_this_host(std::error_code error) {
  return error == std::errc::network_unreachable || error == std::errc::address_not_available ||
         error == std::errc::address_family_not_supported;
}

std::string in_lower_case(std::string_view host) {
  std::string lower(host);
  ascii::make_lower(lower);
  return lower;
}

}  // namespace

// ---- names -----------------------------------------------------------------------------------------------

// One look-up, and all who wait for it.
struct Dialer::Lookup {
  Lookup(async::Loop& loop, std::string name) : host(std::move(name)), task(loop) {}

  std::string host;
  std::optional<Result<Addresses>> found;
  bool is_forgotten = false;
  List<Question> questions;
  async::TaskGroup task;
};

// One who waits for a look-up. The last who leaves ends it.
class Dialer::Question : public ListNode {
 public:
  Question(Dialer& dialer, const std::string& host)
      : slot(dialer.runtime_.loop()), dialer_(dialer), lookup_(find_or_start(host)) {
    lookup_->questions.push_back(*this);
  }
  ~Question() {
    unlink();
    if (lookup_->questions.empty()) dialer_.lookups_.erase(lookup_);
  }

  const std::optional<Result<Addresses>>& found() const { return lookup_->found; }

  net::WaitSlot slot;

 private:
  std::list<Lookup>::iterator find_or_start(const std::string& host) {
    std::list<Lookup>& lookups = dialer_.lookups_;
    const auto is_it = [&](const Lookup& one) { return one.host == host && !one.found && !one.is_forgotten; };
    const auto under_way = std::ranges::find_if(lookups, is_it);
    if (under_way != lookups.end()) return under_way;
    async::Loop& loop = dialer_.runtime_.loop();
    Lookup& fresh = lookups.emplace_back(loop, host);
    fresh.task.spawn(dialer_.look_up(fresh, after(loop.now(), dialer_.options_.resolve_timeout)));
    return std::prev(lookups.end());
  }

  Dialer& dialer_;
  std::list<Lookup>::iterator lookup_;
};

Dialer::Dialer(Runtime& runtime, DialerOptions options) : runtime_(runtime), options_(std::move(options)) {}

Dialer::~Dialer() = default;

Dialer::Limit Dialer::limit(Duration timeout, Errc error, TimePoint deadline) const {
  const TimePoint end = after(runtime_.loop().now(), timeout);
  return end <= deadline ? Limit{end, error} : Limit{deadline, Errc::timed_out};
}

Task<> Dialer::look_up(Lookup& lookup, TimePoint deadline) {
  Result<Addresses> found = co_await runtime_.network().resolve(lookup.host, 0, deadline);
  if (found && found->size() > kMaxAddresses) found->resize(kMaxAddresses);
  if (found && !lookup.is_forgotten) keep(lookup.host, *found);
  lookup.found = std::move(found);
  lookup.questions.for_each([](Question& question) { question.slot.wake(); });
}

Task<Result<Dialer::Addresses>> Dialer::find(std::string host, TimePoint deadline, const DialHooks* hooks) {
  if (const Addresses* const known = find_known(host)) co_return *known;
  if (hooks != nullptr && hooks->resolve_start) hooks->resolve_start(host);
  const Limit end = limit(options_.resolve_timeout, Errc::resolve_timeout, deadline);
  Result<Addresses> found = fail(end.error);
  {
    Question question(*this, host);
    question.slot.set_deadline(end.at);
    while (!question.found() && runtime_.loop().now() < end.at) co_await Nap(question.slot);
    if (question.found()) found = *question.found();
  }
  // The look-up itself may be older than this question, and so at its end before it.
  if (!found && found.error() == make_error_code(Errc::timed_out)) {
    found = fail(runtime_.loop().now() >= end.at ? end.error : Errc::resolve_timeout);
  }
  if (hooks != nullptr && hooks->resolve_done) hooks->resolve_done(host, found ? std::error_code() : found.error());
  co_return found;
}

const Dialer::Addresses* Dialer::find_known(const std::string& host) {
  const auto known = known_.find(host);
  if (known == known_.end() || known->second.until <= runtime_.loop().now()) return nullptr;
  by_use_.push_back(known->second);
  return &known->second.addresses;
}

void Dialer::keep(const std::string& host, const Addresses& addresses) {
  if (options_.dns_ttl <= Duration{} || options_.max_cached_hosts == 0) return;
  if (!known_.contains(host) && known_.size() >= options_.max_cached_hosts) {
    known_.erase(known_.find(by_use_.front().host));
  }
  const auto place = known_.try_emplace(host).first;
  Known& known = place->second;
  known.host = place->first;
  known.addresses = addresses;
  known.until = after(runtime_.loop().now(), options_.dns_ttl);
  by_use_.push_back(known);
}

void Dialer::forget(std::string_view host) {
  const std::string name = in_lower_case(host);
  known_.erase(name);
  for (Lookup& lookup : lookups_) lookup.is_forgotten |= lookup.host == name;
}

void Dialer::forget() {
  known_.clear();
  for (Lookup& lookup : lookups_) lookup.is_forgotten = true;
}

// ---- the order of addresses ------------------------------------------------------------------------------

std::size_t Dialer::take_turn(const std::string& host) {
  const auto known = known_.find(host);
  return options_.rotate && known != known_.end() ? known->second.turn++ : 0;
}

bool Dialer::wants(const Address& address) const {
  const Address::Kind kind = address.kind();
  if (kind != Address::Kind::ipv4 && kind != Address::Kind::ipv6) return true;
  if (options_.families == IpFamilies::ipv4_only && kind != Address::Kind::ipv4) return false;
  if (options_.families == IpFamilies::ipv6_only && kind != Address::Kind::ipv6) return false;
  return options_.local_address.kind() == Address::Kind::none || options_.local_address.kind() == kind;
}

// The families in turn, IPv6 first (RFC 8305 §4), each from its own address number `turn` on.
Dialer::Addresses Dialer::in_order(const Addresses& found, std::uint16_t port, std::size_t turn) const {
  std::array<Addresses, 2> families;
  for (const Address& address : found) {
    if (wants(address)) families[address.kind() == Address::Kind::ipv6 ? 0 : 1].push_back(address.with_port(port));
  }
  Addresses ordered;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Addresses& family : families) {
      if (i < family.size()) ordered.push_back(family[(i + turn) % family.size()]);
    }
  }
  return ordered;
}

// ---- places ----------------------------------------------------------------------------------------------

// One of max_concurrent, or of those who wait in line for one.
class Dialer::Place : public ListNode {
 public:
  explicit Place(Dialer& dialer) : slot(dialer.runtime_.loop()), dialer_(dialer) {
    const std::size_t most = dialer.options_.max_concurrent;
    if (most > 0 && dialer.dialing_ >= most) {
      dialer.line_.push_back(*this);
    } else {
      give();
    }
  }
  ~Place() {
    if (is_given_) dialer_.leave_place();
  }

  bool is_given() const { return is_given_; }
  void give() {
    is_given_ = true;
    ++dialer_.dialing_;
    slot.wake();
  }

  net::WaitSlot slot;

 private:
  Dialer& dialer_;
  bool is_given_ = false;
};

void Dialer::leave_place() {
  --dialing_;
  if (!line_.empty()) line_.pop_front().give();
}

// ---- the race --------------------------------------------------------------------------------------------

class Dialer::Race {
 public:
  Race(Dialer& dialer, Addresses targets, Limit limit, const DialHooks* hooks)
      : dialer_(dialer),
        loop_(dialer.runtime_.loop()),
        limit_(limit),
        hooks_(hooks),
        next_start_(loop_.now()),
        slot_(loop_),
        group_(loop_) {
    for (Address& target : targets) attempts_.push_back({std::move(target)});
  }

  Task<Result<net::Connected>> run();

 private:
  struct Attempt {
    Address target;
    bool is_running = false;
  };

  bool has_next() const { return next_ < attempts_.size(); }
  void start_next();
  Task<> make(Attempt& attempt, TimePoint deadline);
  void finish(Attempt& attempt, Result<net::Connected> connected);
  void tell_done(Attempt& attempt, std::error_code error);

  Dialer& dialer_;
  async::Loop& loop_;
  Limit limit_;
  const DialHooks* hooks_;
  std::vector<Attempt> attempts_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  TimePoint next_start_;
  std::optional<net::Connected> winner_;
  std::error_code error_;
  std::exception_ptr thrown_;
  net::WaitSlot slot_;
  async::TaskGroup group_;  // last: its tasks use all of the above
};

Task<Result<net::Connected>> Dialer::Race::run() {
  Errc over{};
  while (!winner_ && !thrown_) {
    if (loop_.now() >= limit_.at) {
      over = limit_.error;
      break;
    }
    if (!has_next() && running_ == 0) break;
    if (has_next() && loop_.now() >= next_start_) start_next();
    slot_.set_deadline(std::min(limit_.at, has_next() ? next_start_ : kNever));
    co_await Nap(slot_);
  }
  for (Attempt& attempt : attempts_) {
    if (attempt.is_running) tell_done(attempt, make_error_code(Errc::operation_canceled));
  }
  if (thrown_) std::rethrow_exception(thrown_);
  if (winner_) co_return std::move(*winner_);
  if (over != Errc{}) co_return fail(over);
  co_return fail(error_);
}

void Dialer::Race::start_next() {
  const Duration delay = dialer_.options_.attempt_delay;
  const bool overlaps = delay > Duration{};
  TimePoint deadline = limit_.at;
  if (!overlaps && deadline != kNever) {
    deadline = loop_.now() + (deadline - loop_.now()) / static_cast<std::int64_t>(attempts_.size() - next_);
  }
  next_start_ = overlaps ? after(loop_.now(), delay) : kNever;
  Attempt& attempt = attempts_[next_++];
  attempt.is_running = true;
  ++running_;
  if (hooks_ != nullptr && hooks_->connect_start) hooks_->connect_start(attempt.target);
  group_.spawn(make(attempt, deadline));
}

Task<> Dialer::Race::make(Attempt& attempt, TimePoint deadline) {
  try {
    Result<net::Connected> connected = co_await dialer_.open(attempt.target, deadline);
    finish(attempt, std::move(connected));
  } catch (...) {
    thrown_ = std::current_exception();
  }
  slot_.wake();
}

void Dialer::Race::finish(Attempt& attempt, Result<net::Connected> connected) {
  --running_;
  if (connected && winner_) {
    (void)connected->connection->try_close_write();  // in order: the peer has done nothing wrong
    return tell_done(attempt, make_error_code(Errc::operation_canceled));
  }
  tell_done(attempt, connected ? std::error_code() : connected.error());
  if (connected) {
    winner_ = std::move(*connected);
    return;
  }
  next_start_ = loop_.now();
  if (!error_ || (is_of_this_host(error_) && !is_of_this_host(connected.error()))) error_ = connected.error();
}

void Dialer::Race::tell_done(Attempt& attempt, std::error_code error) {
  attempt.is_running = false;
  if (hooks_ != nullptr && hooks_->connect_done) hooks_->connect_done(attempt.target, error);
}

// ---- dialing ---------------------------------------------------------------------------------------------

Task<Result<net::Connected>> Dialer::dial(Address address, TimePoint deadline, const DialHooks* hooks) {
  if (address.kind() == Address::Kind::none) co_return fail(Errc::bad_address);
  if (deadline <= runtime_.loop().now()) co_return fail(Errc::timed_out);
  if (options_.dial) co_return co_await connect(Addresses(1, address), deadline, hooks);
  Result<Addresses> targets = co_await resolve(std::move(address), deadline, hooks);
  if (!targets) co_return fail(targets.error());
  co_return co_await connect(std::move(*targets), deadline, hooks);
}

Task<Result<Dialer::Addresses>> Dialer::resolve(Address address, TimePoint deadline, const DialHooks* hooks) {
  Addresses targets;
  if (address.kind() == Address::Kind::name) {
    const std::string host = in_lower_case(address.text());
    const Result<Addresses> found = co_await find(host, deadline, hooks);
    if (!found) co_return fail(found.error());
    targets = in_order(*found, address.port(), take_turn(host));
  } else if (wants(address)) {
    targets.push_back(std::move(address));
  }
  if (targets.empty()) co_return fail(Errc::host_not_found);
  co_return targets;
}

Task<Result<net::Connected>> Dialer::connect(Addresses targets, TimePoint deadline, const DialHooks* hooks) {
  const Limit end = limit(options_.connect_timeout, Errc::connect_timeout, deadline);
  Place place(*this);
  place.slot.set_deadline(end.at);
  while (!place.is_given() && runtime_.loop().now() < end.at) co_await Nap(place.slot);
  if (!place.is_given()) co_return fail(end.error);
  Race race(*this, std::move(targets), end, hooks);
  co_return co_await race.run();
}

Task<Result<net::Connected>> Dialer::open(Address address, TimePoint deadline) {
  if (options_.dial) return options_.dial(std::move(address), deadline);
  net::DialOptions options;
  options.deadline = deadline;
  if (address.kind() != Address::Kind::unix_path) options.local = options_.local_address;
  return runtime_.network().dial(std::move(address), std::move(options));
}

}  // namespace pipette::client
