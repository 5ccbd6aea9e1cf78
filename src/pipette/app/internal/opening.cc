#include "pipette/app/internal/opening.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "pipette/tcp/descriptor.h"

namespace pipette::app {
namespace {

using net::Address;

bool is_path(const Address& address) { return address.kind() == Address::Kind::unix_path; }

bool has(const std::vector<Address>& addresses, const Address& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

}  // namespace

Opening::Opening(Crew& crew, const Server& server, const ServeOptions& options)
    : crew_(crew), server_(server), options_(options) {
  const bool takes_any = options.inherit != Inherit::nothing;
  if (!takes_any && options.hand_over) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "hand_over needs more than Inherit::nothing: the next process takes what this one has");
  }
  if (takes_any) given_ = inherited_listeners();
}

void Opening::open(const ListenAt& where) {
  const Result<Address> address = Address::parse(where.address);
  if (!address) throw std::system_error(address.error(), where.address);
  net::ListenOptions listening = where.listening;
  listening.keep_alive = server_.options().tcp_keepalive;
  listening.reuse_port = false;
  const bool is_for_each = crew_.size() > 1 && options_.distribution == Distribution::reuse_port && !is_path(*address);
  const std::vector<Inherited> given = take_matching(given_, *address);
  if (is_for_each) {
    open_for_each(*address, listening, given, where.security);
  } else {
    open_for_all(*address, listening, given, where.security);
  }
}

void Opening::finish() {
  while (options_.inherit == Inherit::all && !given_.empty()) open({.address = given_.front().address.to_string()});
  for (std::size_t i = 0; i < crew_.size(); ++i) {
    for (const tcp::Listening& each : crew_.runtime(i).listening()) {
      if (!has(addresses_, each.address)) addresses_.push_back(each.address);
      const bool owns_path = is_path(each.address) && !has(paths_to_leave_, each.address);
      passed_.push_back({each.descriptor, owns_path});
    }
  }
  for (const Inherited& left : given_) leave(left);
}

// What the supervisor gave is its own: the next process may ask for it.
void Opening::leave(const Inherited& left) {
  if (left.from == Inherited::From::supervisor) {
    passed_.push_back({left.descriptor, false});
  } else if (left.owns_path) {
    unwanted_.push_back(adopt(0, left, {}));
  } else {
    tcp::Descriptor(left.descriptor).close();
  }
}

void Opening::own_paths() {
  for (const Address& path : paths_to_own_) crew_.first().own_unix_path(path);
  unwanted_.clear();
}

// A listener for each loop, and more where more were given: none may be left alone with those who wait there.
void Opening::open_for_each(const Address& address, net::ListenOptions listening, const std::vector<Inherited>& given,
                            net::Security* security) {
  Listener first;
  if (given.empty()) {
    // Somebody else's port is not to be shared by mistake, though he would share it.
    if (address.port() != 0) listen(address, listening).reset();
    listening.reuse_port = true;
    first = listen(address, listening);
  }
  listening.reuse_port = true;
  const Address where = given.empty() ? first->address() : given.front().address;
  std::vector<Listener> more;
  for (std::size_t i = std::max<std::size_t>(given.size(), 1); i < crew_.size(); ++i) {
    Result<Listener> next = crew_.runtime(i).network().listen(where, listening);
    if (!next) {
      server_.log("the first loop accepts for all at " + where.to_string() + ": " + next.error().message());
      return first ? add_for_all(std::move(first), security) : open_for_all(address, listening, given, security);
    }
    more.push_back(std::move(*next));
  }
  if (first) crew_.add(0, std::move(first), security);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::size_t member = i % crew_.size();
    crew_.add(member, adopt(member, given[i], listening), security);
  }
  const std::size_t before = crew_.size() - more.size();
  for (std::size_t i = 0; i < more.size(); ++i) crew_.add(before + i, std::move(more[i]), security);
}

void Opening::open_for_all(const Address& address, const net::ListenOptions& listening,
                           const std::vector<Inherited>& given, net::Security* security) {
  for (const Inherited& each : given) add_for_all(adopt(0, each, listening), security);
  if (given.empty()) add_for_all(listen(address, listening), security);
}

void Opening::add_for_all(Listener listener, net::Security* security) {
  if (crew_.size() == 1) {
    crew_.add(0, std::move(listener), security);
  } else {
    crew_.distribute(std::move(listener), security);
  }
}

Opening::Listener Opening::adopt(std::size_t member, const Inherited& given, const net::ListenOptions& listening) {
  Result<Listener> listener = crew_.runtime(member).adopt_listener(given.descriptor, listening);
  if (!listener) throw std::system_error(listener.error(), "listen on " + given.address.to_string());
  if (is_path(given.address)) (given.owns_path ? paths_to_own_ : paths_to_leave_).push_back(given.address);
  return std::move(*listener);
}

Opening::Listener Opening::listen(const Address& address, const net::ListenOptions& listening) {
  Result<Listener> listener = crew_.first().network().listen(address, listening);
  if (!listener) throw std::system_error(listener.error(), "listen on " + address.to_string());
  return std::move(*listener);
}

}  // namespace pipette::app
