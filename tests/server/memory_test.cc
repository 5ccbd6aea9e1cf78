// What a connection costs the server: idle, stalled, and busy again and again.
//
// The connections are the test's own and nearly nothing, so that what is counted is the server's: sessions, frames,
// buffers, exchanges. In a program of its own, which replaces the global operator new.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/base/poison.h"
#include "pipette/inmem/world.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

#include "tests/support/counted_new.h"
#include "tests/support/fake_connection.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// One that asks once, takes whatever it gets, and then says nothing more.
class Idle final : public test::FakeConnection {
 public:
  Result<std::size_t> try_read(MutableBytes into) override {
    if (std::exchange(has_asked_, true)) return fail(Errc::would_block);
    std::ranges::copy(kGet, into.begin());
    return kGet.size();
  }

 private:
  bool has_asked_ = false;
};

// One that says `first`, then `again` for ever, in pieces of one try each; and takes only as much as it is told to.
class Talker final : public test::FakeConnection {
 public:
  struct Words {
    std::string first;
    std::array<std::string, 2> again;
    std::size_t takes_bytes = SIZE_MAX;
  };
  Talker(async::Loop& loop, const Words& words) : loop_(loop), words_(words), says_(words.first) {}

  Result<std::size_t> try_read(MutableBytes into) override {
    if (says_.empty() && !std::exchange(pauses_, true)) return fail(Errc::would_block);
    if (says_.empty()) {
      says_ = words_.again.at(next_++ % words_.again.size());
      pauses_ = false;
    }
    const std::size_t count = std::min(into.size(), says_.size());
    if (count == 0) return fail(Errc::would_block);
    std::ranges::copy(says_.substr(0, count), into.begin());
    says_.remove_prefix(count);
    return count;
  }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override {
    const std::size_t size = size_of(pieces);
    const std::size_t count = std::min(size, words_.takes_bytes - taken_);
    if (count == 0 && size > 0) return fail(Errc::would_block);
    if (words_.takes_bytes != SIZE_MAX) taken_ += count;
    return count;
  }
  void wait(net::Direction direction, net::Waiter& waiter) override {
    const bool is_silent = words_.again.front().empty() && says_.empty();
    if (direction == net::Direction::write || is_silent) return;
    loop_.keep_lane(waiter);
    loop_.enqueue(waiter);
  }

 private:
  async::Loop& loop_;
  const Words& words_;
  Bytes says_;
  std::size_t next_ = 0;
  std::size_t taken_ = 0;
  bool pauses_ = false;
};

net::Connected connected(std::unique_ptr<net::Connection> connection) {
  return {std::move(connection), net::Address::ipv4({10, 0, 1, 1}, 80), net::Address::ipv4({10, 0, 0, 1}, 49152)};
}

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

class ServerMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (kPoisons) GTEST_SKIP() << "under AddressSanitizer nothing is recycled, so that what is dead stays dead";
  }

  // What one connection of that kind holds, once nothing moves any more.
  std::int64_t held_by(Handler handler, const Talker::Words& words) {
    inmem::World world;
    const Server server(std::move(handler), options_);
    world.log().set_recording(false);
    Worker worker(server, world.runtime());
    async::TaskGroup sessions(world.loop());
    const std::int64_t before = test::live_bytes();
    sessions.spawn(worker.serve_connection(connected(std::make_unique<Talker>(world.loop(), words))));
    world.advance_to(after(world.now(), 1s));
    return test::live_bytes() - before;
  }

  // What a thousand requests allocate behind a thousand others, of one connection that says `words` and never waits
  // for an answer.
  std::uint64_t allocated_by(const Handler::Coroutine& handler, const Talker::Words& words) {
    constexpr int kWarmUp = 1000;
    constexpr int kCounted = 1000;
    int requests = 0;
    std::uint64_t before = 0, behind = 0;
    const Server server([&](RequestCtx& ctx) -> Task<> {
      ++requests;
      if (requests == kWarmUp) before = test::allocations();
      if (requests == kWarmUp + kCounted) behind = test::allocations();
      return handler(ctx);
    });
    inmem::World world;
    world.log().set_recording(false);
    Worker worker(server, world.runtime());
    async::TaskGroup sessions(world.loop());
    sessions.spawn(worker.serve_connection(connected(std::make_unique<Talker>(world.loop(), words))));
    while (requests < kWarmUp + kCounted && world.step()) {
    }
    EXPECT_EQ(requests, kWarmUp + kCounted);
    return behind - before;
  }

  ServerOptions options_;
};

TEST_F(ServerMemory, OfAnIdleConnectionIsLessThanThreeQuartersOfAKibibyte) {
  constexpr int kConnections = 100'000;
  inmem::World world;
  const Server server(greet);
  Worker worker(server, world.runtime());
  async::TaskGroup sessions(world.loop());
  const std::int64_t before = test::live_bytes();
  for (int i = 0; i < kConnections; ++i) {
    sessions.spawn(worker.serve_connection(connected(std::make_unique<Idle>())));
    world.settle();
  }
  const std::int64_t each = (test::live_bytes() - before) / kConnections;
  std::printf("%lld bytes per idle connection\n", static_cast<long long>(each));
  EXPECT_EQ(worker.served(), static_cast<std::uint64_t>(kConnections));
  EXPECT_EQ(worker.open_connections(), static_cast<std::size_t>(kConnections));
  EXPECT_LE(each, 768);
}

// Session, frames, an exchange with its parsers: what a request costs beside its buffers.
constexpr std::int64_t kConstantBytes = 16 * 1024;

TEST_F(ServerMemory, OfABodyThatNobodyReadsIsBoundedByTheReadAhead) {
  options_.stream_request_body = true;
  Talker::Words words;
  words.first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n";
  words.again.fill(std::string(1000, 'x'));
  const auto sleep = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  };
  const std::int64_t held = held_by(sleep, words);
  std::printf("%lld bytes with a body that nobody reads\n", static_cast<long long>(held));
  const std::size_t buffers = options_.read_buffer_bytes + options_.write_buffer_bytes + options_.max_read_ahead_bytes;
  EXPECT_GE(held, static_cast<std::int64_t>(options_.max_read_ahead_bytes));
  EXPECT_LE(held, static_cast<std::int64_t>(buffers) + kConstantBytes);
}

TEST_F(ServerMemory, OfAReaderThatStallsIsBoundedByTheWriteBuffer) {
  Talker::Words words;
  words.first = kGet;
  words.takes_bytes = 0;
  const auto flood = [](RequestCtx& ctx) -> Task<> {
    static const std::string kPiece(1000, 'x');
    for (;;) {
      const Result<void> written = co_await ctx.write(kPiece);
      if (!written) co_return;
    }
  };
  const std::int64_t held = held_by(flood, words);
  std::printf("%lld bytes with a reader that stalls\n", static_cast<long long>(held));
  const std::size_t buffers = options_.read_buffer_bytes + 2 * options_.write_buffer_bytes;
  EXPECT_LE(held, static_cast<std::int64_t>(buffers) + kConstantBytes);
}

Task<> answer_in_chunks(RequestCtx& ctx) {
  static const std::string kPiece(1000, 'x');
  (void)co_await ctx.write(kPiece);
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1ms));
  (void)co_await ctx.write(kPiece);
  (void)co_await ctx.flush();
}

Task<> echo_later(RequestCtx& ctx) {
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1ms));
  ctx.set_body(ctx.body());
}

Task<> echo_at_once(RequestCtx& ctx) {
  ctx.set_body(ctx.body());
  co_return;
}

TEST_F(ServerMemory, OfAClientThatNeverWaitsIsBoundedByTheReadAhead) {
  Talker::Words words;
  words.again.fill(std::string(kGet));
  const std::int64_t held = held_by(echo_later, words);
  std::printf("%lld bytes with a client that never waits\n", static_cast<long long>(held));
  const std::size_t buffers =
      options_.read_buffer_bytes + options_.write_buffer_bytes + 4 * options_.max_read_ahead_bytes;
  EXPECT_LE(held, static_cast<std::int64_t>(buffers) + kConstantBytes);
}

TEST_F(ServerMemory, OfAWarmChunkedResponseIsThereAlready) {
  Talker::Words words;
  words.again.fill(std::string(kGet));
  EXPECT_EQ(allocated_by(answer_in_chunks, words), 0U);
}

TEST_F(ServerMemory, OfAWarmBodyInTwoPiecesIsThereAlready) {
  Talker::Words words;
  words.again[0] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n" + std::string(2000, 'x');
  words.again[1] = std::string(2096, 'y');
  EXPECT_EQ(allocated_by(echo_at_once, words), 0U);
  EXPECT_EQ(allocated_by(echo_later, words), 0U);
}

TEST_F(ServerMemory, OfAWarmChunkedBodyInTwoPiecesIsThereAlready) {
  Talker::Words words;
  words.again[0] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x');
  words.again[1] = "\r\n830\r\n" + std::string(2096, 'y') + "\r\n0\r\n\r\n";
  EXPECT_EQ(allocated_by(echo_later, words), 0U);
}

}  // namespace
}  // namespace pipette::server
