#include "pipette/inmem/network.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace pipette::inmem {
namespace {

using net::Address;

// Who dials does so from here; hosts that listen under a name get addresses of their own behind it.
const Address kHere = Address::ipv4({10, 0, 0, 1}, 0);

}  // namespace

class MemoryListener final : public net::Listener {
 public:
  MemoryListener(Network& network, Address address, std::string label, std::size_t backlog)
      : network_(&network),
        loop_(network.loop_),
        address_(std::move(address)),
        label_(std::move(label)),
        backlog_(backlog) {}
  ~MemoryListener() override { close(); }

  Result<net::Connected> try_accept() override {
    if (network_ == nullptr) return fail(Errc::listener_closed);
    if (!failures_.empty()) {
      const Errc error = failures_.front();
      failures_.pop_front();
      network_->transcript_.add(network_->loop_.now(), label_ + "  accept fails: " + make_error_code(error).message());
      return fail(error);
    }
    if (queue_.empty()) return fail(Errc::would_block);
    net::Connected connected = std::move(queue_.front());
    queue_.pop_front();
    return connected;
  }

  void wait(net::Waiter& waiter) override {
    waiters_.push_back(waiter);
    if (network_ == nullptr || !queue_.empty() || !failures_.empty()) wake();
  }

  void close() override {
    if (network_ == nullptr) return;
    wake();
    std::erase(network_->listeners_, this);
    network_ = nullptr;
    queue_.clear();
  }

  Address address() const override { return address_; }

  const std::string& label() const { return label_; }
  bool has_waiter() const { return !waiters_.empty(); }
  bool is_full() const { return queue_.size() >= backlog_; }

  void offer(net::Connected connected) {
    queue_.push_back(std::move(connected));
    wake();
  }
  void fail_accept(Errc error, int count) {
    failures_.insert(failures_.end(), static_cast<std::size_t>(count), error);
    wake();
  }
  void forget_network() {
    queue_.clear();
    network_ = nullptr;
  }

 private:
  void wake() {
    if (!waiters_.empty()) loop_.enqueue(waiters_.front());
  }

  Network* network_;  // null once closed
  Loop& loop_;
  Address address_;
  std::string label_;
  std::size_t backlog_;
  std::deque<net::Connected> queue_;
  std::deque<Errc> failures_;
  List<net::Waiter> waiters_;
};

Network::Network(Loop& loop, Transcript& transcript) : loop_(loop), transcript_(transcript) {
  hosts_.push_back({"localhost", kHere});
}

Network::~Network() {
  for (MemoryListener* listener : listeners_) listener->forget_network();
}

Result<Address> Network::locate(const Address& address) const {
  if (address.kind() != Address::Kind::name) return address;
  const auto host = std::ranges::find(hosts_, address.text(), &Host::name);
  if (host == hosts_.end()) return fail(Errc::host_not_found);
  return host->address.with_port(address.port());
}

Address Network::locate_or_add(const Address& address) {
  if (const auto known = locate(address)) return *known;
  const std::size_t number = hosts_.size();
  const Address ip =
      Address::ipv4({10, 0, static_cast<std::uint8_t>(1 + number / 256), static_cast<std::uint8_t>(number % 256)}, 0);
  hosts_.push_back({address.text(), ip});
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

Result<std::unique_ptr<net::Listener>> Network::listen(const Address& address, const net::ListenOptions& options) {
  if (address.kind() == Address::Kind::none) return fail(Errc::bad_address);
  Address bound = locate_or_add(address);
  if (bound.kind() != Address::Kind::unix_path && bound.port() == 0) bound = bound.with_port(choose_port());
  if (find_listener(bound) != nullptr) return fail(Errc::address_in_use);
  std::string label = address.port() == 0 ? bound.to_string() : address.to_string();
  const auto backlog = static_cast<std::size_t>(std::max(options.backlog, 1));
  auto listener = std::make_unique<MemoryListener>(*this, bound, std::move(label), backlog);
  listeners_.push_back(listener.get());
  return listener;
}

Result<net::Connected> Network::dial_now(const Address& address) {
  const Result<Address> target = locate(address);
  if (!target) return fail(target.error());
  MemoryListener* listener = find_listener(*target);
  if (listener == nullptr || listener->is_full()) return fail(Errc::connection_refused);

  PipeNames names;
  names.connection = "conn " + std::to_string(++connections_);
  names.first = "client";
  names.second = "server";
  transcript_.add(loop_.now(), names.connection + "  client dials " + listener->label());
  auto [client, server] = make_pipe(loop_, pipe_options_, std::move(names), &transcript_);
  ends_.push_back(*client);
  ends_.push_back(*server);
  const bool has_ports = target->kind() != Address::Kind::unix_path;
  const Address here = has_ports ? kHere.with_port(choose_port()) : *target;
  listener->offer({std::move(server), *target, here});
  return net::Connected{std::move(client), here, *target};
}

Task<Result<net::Connected>> Network::dial(Address address, TimePoint deadline) {
  if (deadline <= loop_.now()) co_return fail(Errc::timed_out);
  co_return dial_now(address);
}

Task<Result<std::vector<Address>>> Network::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
  if (deadline <= loop_.now()) co_return fail(Errc::timed_out);
  const Result<Address> parsed = Address::parse(host, port);
  if (!parsed) co_return fail(parsed.error());
  const Result<Address> found = locate(*parsed);
  if (!found) co_return fail(found.error());
  co_return std::vector<Address>(1, *found);
}

void Network::fail_accept(const Address& address, Errc error, int count) {
  const Result<Address> target = locate(address);
  MemoryListener* listener = target ? find_listener(*target) : nullptr;
  if (listener != nullptr) listener->fail_accept(error, count);
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

}  // namespace pipette::inmem
