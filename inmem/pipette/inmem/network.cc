#include "pipette/inmem/network.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/inmem/text.h"

namespace pipette::inmem {
namespace {

using net::Address;

constexpr Site kSharedListener("shared listener");
// When a system gives up by itself: after the last of TCP's handshakes, and of a resolver's questions.
constexpr Duration kDialPatience = std::chrono::seconds(127);
constexpr Duration kLookUpPatience = std::chrono::seconds(10);

// The first host is 10.0.0.1, the others and their further names 10.0.1.1, 10.0.1.2 …
Address numbered(std::uint16_t number) {
  if (number == 0) return Address::ipv4({10, 0, 0, 1}, 0);
  return Address::ipv4({10, 0, static_cast<std::uint8_t>(1 + number / 256), static_cast<std::uint8_t>(number % 256)},
                       0);
}

// Goes on at a moment of true time, or when a link changes; or at the deadline, which is in the time of who waits.
class Passage final : public async::Timer {
 public:
  Passage(Loop& loop, TimePoint deadline, Loop& wire_loop, TimePoint moment)
      : loop_(loop), deadline_(deadline), wire_loop_(wire_loop), moment_(moment), happening_(*this) {}
  Passage(Loop& loop, TimePoint deadline, Loop& wire_loop, Link& link) : Passage(loop, deadline, wire_loop, kNever) {
    link_ = &link;
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.arm(*this, deadline_);
    wire_loop_.arm(happening_, moment_);
    if (link_ != nullptr) link_->wait(happening_);
  }
  void await_resume() const {}
  void run() override { waiter_.resume(); }

 private:
  struct Happening final : async::Timer {
    explicit Happening(Passage& waiting) : owner(waiting) {}
    void run() override {
      owner.loop_.disarm(owner);
      owner.run();
    }
    Passage& owner;
  };

  Loop& loop_;
  TimePoint deadline_;
  Loop& wire_loop_;
  TimePoint moment_;
  Link* link_ = nullptr;
  Happening happening_;
  std::coroutine_handle<> waiter_;
};

// What a link says to somebody who dials over it: would_block is "not now".
Errc admission(const Link& link) {
  const net::Toxics& toxics = link.toxics();
  if (toxics.is_holding()) return Errc::would_block;
  if (link.refusal() != Errc{}) return link.refusal();
  return toxics.down || toxics.reset_peer == Duration{} ? Errc::connection_refused : Errc{};
}

}  // namespace

class MemoryListener final : public net::Listener {
 public:
  MemoryListener(Network& network, Host& host, Loop& loop, Address address, std::string label,
                 const net::ListenOptions& options)
      : network_(&network),
        host_(host),
        loop_(loop),
        address_(std::move(address)),
        label_(std::move(label)),
        backlog_(static_cast<std::size_t>(std::max(options.backlog, 1))),
        shares_(options.reuse_port) {}
  ~MemoryListener() override { close(); }

  Result<net::Connected> try_accept() override {
    if (network_ == nullptr) return fail(Errc::listener_closed);
    if (network_->faults_.is_offering() && !queue_.empty()) strike();
    if (!failures_.empty()) {
      const std::error_code error = failures_.front();
      failures_.pop_front();
      network_->log_.add({.time = network_->scheduler_.now(), .kind = EventKind::accept_failed},
                         label_ + ": " + error.message());
      if (error == make_error_code(Errc::connection_aborted) && !queue_.empty()) queue_.pop_front();
      return fail(error);
    }
    if (queue_.empty()) return fail(Errc::would_block);
    Arrived arrived = std::move(queue_.front());
    queue_.pop_front();
    network_->log_.add(
        {.time = network_->scheduler_.now(), .kind = EventKind::accepted, .side = 1, .connection = arrived.number});
    return std::move(arrived.connected);
  }

  void wait(net::Waiter& waiter) override {
    loop_.keep_lane(waiter);
    waiters_.push_back(waiter);
    if (network_ == nullptr || !queue_.empty() || !failures_.empty()) wake();
  }

  bool shed() override {
    if (queue_.empty()) return false;
    queue_.pop_front();
    return true;
  }

  void close() override {
    if (network_ == nullptr) return;
    wake();
    std::erase(network_->listeners_, this);
    network_ = nullptr;
    queue_.clear();
  }

  Address address() const override { return address_; }

  Host& host() const { return host_; }
  Loop& loop() const { return loop_; }
  const std::string& label() const { return label_; }
  bool has_waiter() const { return !waiters_.empty(); }
  bool is_full() const { return queue_.size() >= backlog_; }
  bool shares() const { return shares_; }
  std::size_t queued() const { return queue_.size(); }

  void offer(net::Connected connected, std::uint32_t number) {
    queue_.push_back({std::move(connected), number});
    wake();
  }
  void fail_accept(std::error_code error, int count) {
    failures_.insert(failures_.end(), static_cast<std::size_t>(count), error);
    wake();
  }
  void forget_network() {
    queue_.clear();
    network_ = nullptr;
  }

 private:
  struct Arrived {
    net::Connected connected;
    std::uint32_t number;
  };

  void wake() {
    if (!waiters_.empty()) loop_.enqueue(waiters_.front());
  }
  void strike() {
    switch (network_->faults_.strike(Operation::accept)) {
      case Fault::too_many_open_files:
        failures_.push_front(make_error_code(Errc::too_many_open_files));
        break;
      case Fault::too_many_open_files_in_system:
        failures_.push_front(make_error_code(Errc::too_many_open_files_in_system));
        break;
      case Fault::connection_aborted:
        failures_.push_front(make_error_code(Errc::connection_aborted));
        break;
      default:
        break;
    }
  }

  Network* network_;  // null once closed
  Host& host_;
  Loop& loop_;
  Address address_;
  std::string label_;
  std::size_t backlog_;
  bool shares_;  // the address, with others that do
  std::deque<Arrived> queue_;
  std::deque<std::error_code> failures_;
  List<net::Waiter> waiters_;
};

Network::Network(Scheduler& scheduler, Decisions& decisions, Faults& faults, EventLog& log, WallTime start)
    : scheduler_(scheduler), decisions_(decisions), faults_(faults), log_(log), wire_loop_(scheduler, start) {}

Network::~Network() {
  for (MemoryListener* listener : listeners_) listener->forget_network();
}

// ---- hosts, names and links ----------------------------------------------------------------------------

void Network::add_host(Host& host) {
  hosts_.push_back(&host);
  entries_.push_back({host.name(), host.address(), &host});
}

Host* Network::find_host(std::string_view name) const {
  const auto found = std::ranges::find_if(hosts_, [name](const Host* host) { return host->name() == name; });
  return found == hosts_.end() ? nullptr : *found;
}

net::Address Network::next_address() { return numbered(next_number_++); }

Link& Network::link(Host& from, Host& to) {
  std::unique_ptr<Link>& link = links_[{from.number(), to.number()}];
  if (link) return *link;
  link = std::make_unique<Link>(wire_loop_, log_, from.name() + " -> " + to.name());
  ends_.for_each([&](PipeEnd& end) {
    const PipeEnd::State state = end.state();
    const std::array<std::string, 2>& names = log_.connection(state.connection).names;
    if (names[state.side] == from.name() && names[1U - state.side] == to.name()) end.go_over(*link);
  });
  return *link;
}

void Network::heal() {
  for (const auto& [ends, link] : links_) link->heal();
  ends_.for_each([](PipeEnd& end) { end.heal(); });
}

// Null for a link that was never asked for: nothing afflicts it, and connections join it when it is.
Link* Network::find_link(const Host& from, const Host& to) const {
  if (links_.empty()) return nullptr;
  const auto found = links_.find({from.number(), to.number()});
  return found == links_.end() ? nullptr : found->second.get();
}

Result<Address> Network::locate(const Host& asking, const Address& address) const {
  if (address.kind() != Address::Kind::name) return address;
  if (address.text() == "localhost") return asking.address().with_port(address.port());
  const auto entry = std::ranges::find(entries_, address.text(), &Entry::name);
  if (entry == entries_.end()) return fail(Errc::host_not_found);
  return entry->address.with_port(address.port());
}

Address Network::locate_or_add(Host& host, const Address& address) {
  if (const auto known = locate(host, address)) return *known;
  const Address ip = next_address();
  entries_.push_back({address.text(), ip, &host});
  return ip.with_port(address.port());
}

std::uint16_t Network::choose_port() {
  if (next_port_ < kFirstDynamicPort) next_port_ = kFirstDynamicPort;  // all have been used: once more
  return next_port_++;
}

MemoryListener* Network::find_listener(const Address& address) const {
  const auto found = std::ranges::find_if(listeners_, [&](MemoryListener* l) { return l->address() == address; });
  return found == listeners_.end() ? nullptr : *found;
}

// Of several that share an address, chance takes one, as a kernel does.
MemoryListener* Network::choose_listener(const Address& address) {
  std::vector<MemoryListener*> sharing;
  for (MemoryListener* listener : listeners_) {
    if (listener->address() == address) sharing.push_back(listener);
  }
  if (sharing.empty()) return nullptr;
  const std::size_t most = std::min<std::size_t>(sharing.size(), 256);
  return sharing[decisions_.choose(kSharedListener, 0, static_cast<unsigned>(most))];
}

// ---- listening, dialing, resolving ---------------------------------------------------------------------

Result<std::unique_ptr<net::Listener>> Network::listen(Host& host, Loop& loop, const Address& address,
                                                       const net::ListenOptions& options) {
  if (address.kind() == Address::Kind::none) return fail(Errc::bad_address);
  Address bound = locate_or_add(host, address);
  if (bound.kind() != Address::Kind::unix_path && bound.port() == 0) bound = bound.with_port(choose_port());
  const MemoryListener* const other = find_listener(bound);
  if (other != nullptr && !(other->shares() && options.reuse_port)) return fail(Errc::address_in_use);
  std::string label = address.port() == 0 ? bound.to_string() : address.to_string();
  log_.add({.time = scheduler_.now(), .kind = EventKind::listen}, label);
  auto listener = std::make_unique<MemoryListener>(*this, host, loop, bound, std::move(label), options);
  listeners_.push_back(listener.get());
  return listener;
}

std::unexpected<std::error_code> Network::refuse(const Host& host, const Address& address, const Address& target,
                                                 Errc error) {
  std::string text = host.name() + " " + host.address().to_string() + " -> " + address.to_string();
  if (target != address) text += " " + target.to_string();
  log_.add({.time = scheduler_.now(), .kind = EventKind::refused}, text + ": " + make_error_code(error).message());
  return fail(error);
}

// What the fault that strikes a dial makes of it.
Errc Network::strike_dial() {
  switch (faults_.strike(Operation::dial)) {
    case Fault::refused:
      return Errc::connection_refused;
    case Fault::unreachable:
      return Errc::host_unreachable;
    case Fault::timed_out:
      return Errc::timed_out;
    case Fault::cancel:
      return Errc::operation_canceled;
    default:
      return Errc{};
  }
}

Result<net::Connected> Network::dial_now(Host& host, Loop& loop, const Address& address) {
  const Result<Address> target = locate(host, address);
  if (!target) return refuse(host, address, address, errc_of(target.error()));
  if (Host* const other = host_behind(*target)) {
    for (Link* link : {find_link(host, *other), find_link(*other, host)}) {
      if (link == nullptr) continue;
      if (const Errc error = admission(*link); error != Errc{}) return refuse(host, address, *target, error);
      if (link->toxics().latency > Duration{}) return fail(Errc::would_block);
    }
  }
  return connect(host, loop, *target);
}

Task<Result<net::Connected>> Network::dial(Host& host, Loop& loop, Address address, net::DialOptions options) {
  const TimePoint deadline = options.deadline;
  if (deadline <= loop.now()) co_return fail(Errc::timed_out);
  std::vector<Address> targets(1, address);
  if (address.kind() == Address::Kind::name) {
    Result<std::vector<Address>> found = co_await resolve(host, loop, address.text(), address.port(), deadline);
    if (!found) co_return refuse(host, address, address, errc_of(found.error()));
    targets = std::move(*found);
  }
  if (const Errc struck = strike_dial(); struck != Errc{}) {
    if (struck == Errc::timed_out)
      co_await async::sleep_until(loop, std::min(deadline, after(loop.now(), kDialPatience)));
    co_return refuse(host, address, targets.front(), struck);
  }
  // As on TCP, each address has an equal share of the time that is left.
  std::error_code error;
  auto left = static_cast<int>(targets.size());
  for (const Address& target : targets) {
    const Duration share = deadline == kNever ? Duration::max() : (deadline - loop.now()) / left--;
    options.deadline = after(loop.now(), share);
    Result<net::Connected> connected = co_await dial_one(host, loop, address, target, options);
    if (connected) co_return connected;
    error = connected.error();
    if (deadline <= loop.now()) co_return fail(Errc::timed_out);
  }
  co_return fail(error);
}

Task<Result<net::Connected>> Network::dial_one(Host& host, Loop& loop, Address address, Address target,
                                               net::DialOptions options) {
  if (const Result<void> possible = check_local(host, target, options.local); !possible) {
    co_return refuse(host, address, target, errc_of(possible.error()));
  }
  if (Host* const other = host_behind(target)) {
    const Result<void> passed = co_await shake_hands(host, *other, loop, options.deadline);
    if (!passed) co_return refuse(host, address, target, errc_of(passed.error()));
  }
  co_return connect(host, loop, target, options.local);
}

// Who listens there, or whose address it is.
Host* Network::host_behind(const Address& target) const {
  const MemoryListener* const listener = find_listener(target);
  return listener == nullptr ? host_at(target) : &listener->host();
}

// The time that a handshake takes over the links there and back, and what may become of it there.
Task<Result<void>> Network::shake_hands(Host& from, Host& to, Loop& loop, TimePoint deadline) {
  for (Link* link : {find_link(from, to), find_link(to, from)}) {
    if (link == nullptr) continue;
    while (admission(*link) == Errc::would_block) {
      if (loop.now() >= deadline) co_return fail(Errc::timed_out);
      co_await Passage(loop, deadline, wire_loop_, *link);
    }
    if (const Errc error = admission(*link); error != Errc{}) co_return fail(error);
    if (link->toxics().latency > Duration{}) {
      co_await Passage(loop, deadline, wire_loop_, after(wire_loop_.now(), link->toxics().latency));
      if (loop.now() >= deadline) co_return fail(Errc::timed_out);
    }
  }
  co_return Result<void>();
}

// Whether a connection from `host` to `target` may come from `local`.
Result<void> Network::check_local(const Host& host, const Address& target, const Address& local) const {
  if (local.kind() == Address::Kind::none) return {};
  if (local.kind() != target.kind()) return fail(Errc::bad_address);
  if (local.kind() != Address::Kind::unix_path && host_at(local) != &host) return fail(Errc::address_not_available);
  return {};
}

Result<net::Connected> Network::connect(Host& host, Loop& loop, const Address& target, const Address& local) {
  MemoryListener* listener = choose_listener(target);
  if (listener == nullptr || listener->is_full()) return refuse(host, target, target, Errc::connection_refused);
  const bool has_ports = target.kind() != Address::Kind::unix_path;
  Address here = local;
  if (local.kind() == Address::Kind::none) here = has_ports ? host.address() : target;
  if (has_ports && here.port() == 0) here = here.with_port(choose_port());

  ConnectionFacts facts;
  facts.label = "conn " + std::to_string(log_.connections() + 1);
  facts.names = {host.name(), listener->host().name()};
  facts.addresses = {here.to_string(), target.to_string()};
  PipeSetup setup;
  setup.number = log_.add_connection(std::move(facts));
  setup.loops = {&loop, &listener->loop()};
  setup.wire_loop = &wire_loop_;
  setup.decisions = &decisions_;
  setup.log = &log_;
  setup.faults = &faults_;
  setup.leeway = leeway_ == Leeway() ? nullptr : &leeway_;
  setup.cut = cut_;
  Link* const there = find_link(host, listener->host());
  Link* const back = find_link(listener->host(), host);
  setup.options = {there != nullptr && there->options() != nullptr ? *there->options() : channel_options_,
                   back != nullptr && back->options() != nullptr ? *back->options() : channel_options_};
  log_.add({.time = scheduler_.now(), .kind = EventKind::dial, .side = 0, .connection = setup.number},
           listener->label());
  auto [client, server] = make_pipe(setup);
  if (there != nullptr) client->go_over(*there);
  if (back != nullptr) server->go_over(*back);
  ends_.push_back(*client);
  ends_.push_back(*server);
  listener->offer({std::move(server), target, here}, setup.number);
  return net::Connected{std::move(client), here, target};
}

Task<Result<std::vector<Address>>> Network::resolve(Host& host, Loop& loop, std::string name, std::uint16_t port,
                                                    TimePoint deadline) {
  if (deadline <= loop.now()) co_return fail(Errc::timed_out);
  const Fault struck = faults_.strike(Operation::resolve);
  if (struck == Fault::host_not_found) co_return fail(Errc::host_not_found);
  const auto told = answers_.find(name);
  const bool is_silent = struck == Fault::timed_out || (told != answers_.end() && told->second.is_silent);
  if (is_silent) {
    co_await async::sleep_until(loop, std::min(deadline, after(loop.now(), kLookUpPatience)));
    co_return fail(Errc::timed_out);
  }
  if (told != answers_.end()) {
    const ResolverAnswer answer = told->second;
    if (answer.delay > Duration{}) co_await Passage(loop, deadline, wire_loop_, after(wire_loop_.now(), answer.delay));
    if (loop.now() >= deadline) co_return fail(Errc::timed_out);
    if (answer.addresses.empty()) co_return fail(Errc::host_not_found);
    std::vector<Address> addresses = answer.addresses;
    for (Address& address : addresses) address = address.with_port(port);
    co_return addresses;
  }
  const Result<Address> parsed = Address::parse(name, port);
  if (!parsed) co_return fail(parsed.error());
  const Result<Address> found = locate(host, *parsed);
  if (!found) co_return fail(found.error());
  co_return std::vector<Address>(1, *found);
}

Host* Network::host_at(const Address& address) const {
  const Address without_port = address.kind() == Address::Kind::unix_path ? address : address.with_port(0);
  const auto entry = std::ranges::find(entries_, without_port, &Entry::address);
  return entry == entries_.end() ? nullptr : entry->host;
}

void Network::fail_accept(const Address& address, std::error_code error, int count) {
  const Result<Address> target = locate(*hosts_.front(), address);
  MemoryListener* listener = target ? find_listener(*target) : nullptr;
  if (listener == nullptr) {
    throw std::system_error(make_error_code(Errc::bad_address),
                            "fail_accept: nobody listens at " + address.to_string());
  }
  listener->fail_accept(error, count);
}

// ---- seeing --------------------------------------------------------------------------------------------

std::vector<SocketRow> Network::sockets() const {
  std::vector<SocketRow> rows;
  for (const MemoryListener* listener : listeners_) {
    SocketRow& row = rows.emplace_back();
    row.state = "LISTEN";
    row.host = listener->host().name();
    row.local = listener->address().to_string();
    row.receive_queue = listener->queued();
    if (listener->has_waiter()) row.waits = "to accept";
  }
  ends_.for_each([&](const PipeEnd& end) {
    const PipeEnd::State state = end.state();
    const ConnectionFacts& facts = log_.connection(state.connection);
    SocketRow& row = rows.emplace_back();
    row.connection = state.connection;
    row.state = state.name;
    row.host = facts.names[state.side];
    row.local = facts.addresses[state.side];
    row.remote = facts.addresses[1U - state.side];
    row.receive_queue = state.receive_queue;
    row.send_queue = state.send_queue;
    const auto add = [&row](std::string_view what, TimePoint deadline) {
      if (!row.waits.empty()) row.waits += " and ";
      row.waits += what;
      if (deadline != kNever) row.waits += ", until " + format_time(deadline);
    };
    if (state.reads) add("to read", state.read_deadline);
    if (state.writes) add("to write", state.write_deadline);
  });
  return rows;
}

std::string Network::describe_waits() const {
  std::string text;
  for (const MemoryListener* listener : listeners_) {
    if (listener->has_waiter()) text += "  listener " + listener->label() + " waits for a connection\n";
  }
  ends_.for_each([&](const PipeEnd& end) {
    const std::string waits = end.describe_waits();
    if (!waits.empty()) text += "  " + waits + "\n";
  });
  return text;
}

std::vector<std::uint32_t> Network::open_connections() const {
  std::vector<std::uint32_t> numbers;
  ends_.for_each([&](const PipeEnd& end) {
    if (numbers.empty() || numbers.back() != end.connection()) numbers.push_back(end.connection());
  });
  return numbers;
}

}  // namespace pipette::inmem
