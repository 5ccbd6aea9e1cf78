#include "tests/net/transport.h"

#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pipette::net {
namespace {

// The members of TransportTest that wait are these coroutines, driven to their end.
Task<> sleep(async::Loop& loop, TimePoint wake) { co_await async::sleep_until(loop, wake); }
Task<Result<Connected>> accept_one(Listener& listener) { co_return co_await listener.accept(); }
Task<Result<void>> write_all(Connection& to, Bytes text) { co_return co_await to.write(std::span(&text, 1)); }
Task<Result<std::size_t>> read_once(Connection& from, MutableBytes into) { co_return co_await from.read_some(into); }

}  // namespace

void TransportTest::run_until(const std::function<bool()>& happened) {
  while (!happened()) {
    if (!transport_->step()) throw std::runtime_error("nothing can happen any more");
  }
}

void TransportTest::pass(Duration duration) { await(sleep(loop(), after(loop().now(), duration))); }

std::unique_ptr<Listener> TransportTest::listen() {
  auto listener = network().listen(transport_->any_address());
  if (!listener) throw std::system_error(listener.error(), "listen");
  return std::move(*listener);
}

Result<Connected> TransportTest::dial(const Address& address) { return await(network().dial(address, kNever)); }

Result<Connected> TransportTest::accept(Listener& listener) { return await(accept_one(listener)); }

std::pair<Connected, Connected> TransportTest::connect(Listener& listener) {
  Result<Connected> dialed = dial(listener.address());
  if (!dialed) throw std::system_error(dialed.error(), "dial");
  Result<Connected> accepted = accept(listener);
  if (!accepted) throw std::system_error(accepted.error(), "accept");
  return {std::move(*dialed), std::move(*accepted)};
}

void TransportTest::send(Connection& to, Bytes text) {
  const Result<void> sent = await(write_all(to, text));
  EXPECT_TRUE(sent) << sent.error().message();
}

std::string TransportTest::receive(Connection& from, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> count = await(read_once(from, std::span(text).subspan(have)));
    if (!count || *count == 0) break;
    have += *count;
  }
  text.resize(have);
  return text;
}

Result<std::size_t> TransportTest::read(Connection& from) {
  std::array<char, 512> room;
  return await(read_once(from, room));
}

Result<std::size_t> TransportTest::read_to_end(Connection& from) {
  for (;;) {
    const Result<std::size_t> count = read(from);
    if (!count || *count == 0) return count;
  }
}

Result<void> TransportTest::write_until_failure(Connection& to) {
  for (;;) {
    const Result<void> sent = await(write_all(to, "x"));
    if (!sent) return sent;
  }
}

std::size_t TransportTest::fill(Connection& to, std::size_t offset) {
  std::string chunk(64 * 1024, '\0');
  std::size_t total = 0;
  for (;;) {
    for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = pattern_octet(offset + total + i);
    const Bytes piece = chunk;
    const Result<std::size_t> taken = to.try_write(std::span(&piece, 1));
    if (!taken) {
      EXPECT_THAT(taken, fails_with(Errc::would_block));
      return total;
    }
    total += *taken;
  }
}

}  // namespace pipette::net
