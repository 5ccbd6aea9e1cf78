#include "pipette/lab/contract/transport.h"

#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "pipette/async/sleep.h"

namespace pipette::lab {
namespace {

constexpr int kMaxSteps = 100'000;  // of one wait; the suites need some hundreds

// What waits is one of these coroutines, driven to their end.
Task<> sleep(async::Loop& loop, TimePoint wake) { co_await async::sleep_until(loop, wake); }
Task<Result<Connected>> accept_one(Listener& listener) { co_return co_await listener.accept(); }
Task<Result<void>> write_all(Connection& to, Bytes text) { co_return co_await to.write(std::span(&text, 1)); }
Task<Result<std::size_t>> read_once(Connection& from, MutableBytes into) { co_return co_await from.read_some(into); }

}  // namespace

void run_until(ConnectionTransport& transport, const std::function<bool()>& happened) {
  for (int steps = 0; !happened(); ++steps) {
    if (steps == kMaxSteps) throw std::runtime_error("something is woken again and again, and gets no further");
    if (!transport.step()) throw std::runtime_error("nothing can happen any more");
  }
}

Ends Transport::connect() {
  const auto listener = runtime().network().listen(any_address());
  if (!listener) throw std::system_error(listener.error(), "listen");
  Result<Connected> dialed = await(*this, runtime().network().dial((*listener)->address(), kNever));
  if (!dialed) throw std::system_error(dialed.error(), "dial");
  Result<Connected> accepted = await(*this, accept_one(**listener));
  if (!accepted) throw std::system_error(accepted.error(), "accept");
  return {std::move(dialed->connection), std::move(accepted->connection)};
}

void ContractTest::pass(Duration duration) { await(sleep(loop(), after(loop().now(), duration))); }

void ContractTest::send(Connection& to, Bytes text) {
  const Result<void> sent = await(write_all(to, text));
  EXPECT_TRUE(sent) << sent.error().message();
}

std::string ContractTest::receive(Connection& from, std::size_t size) {
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

Result<std::size_t> ContractTest::read(Connection& from) {
  std::array<char, 512> room;
  return await(read_once(from, room));
}

Result<std::size_t> ContractTest::read_to_end(Connection& from) {
  for (;;) {
    const Result<std::size_t> count = read(from);
    if (!count || *count == 0) return count;
  }
}

Result<void> ContractTest::write_until_failure(Connection& to) {
  for (;;) {
    const Result<void> sent = await(write_all(to, "x"));
    if (!sent) return sent;
  }
}

std::size_t ContractTest::fill(Connection& to, std::size_t offset) {
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

}  // namespace pipette::lab
