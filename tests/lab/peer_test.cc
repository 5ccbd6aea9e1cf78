// Scripted peers: their verbs settle first and never move the clock.
#include "pipette/lab/peer.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class PeerTest : public testing::Test {
 protected:
  // A peer and the other end of its connection.
  std::pair<Peer, std::unique_ptr<net::Connection>> connect(const inmem::PipeOptions& options = {}) {
    auto [here, there] = inmem::make_pipe(lab_.world().loop(), options, {}, nullptr);
    return {Peer(lab_.world(), std::move(here)), std::move(there)};
  }
  static std::string read(net::Connection& connection) {
    std::array<char, 1000> room;
    const Result<std::size_t> count = connection.try_read(room);
    return {room.data(), count.value_or(0)};
  }
  static void write(net::Connection& connection, Bytes bytes) {
    ASSERT_EQ(connection.try_write({&bytes, 1}), bytes.size());
  }

  Lab lab_;
};

TEST_F(PeerTest, SendsAndReceives) {
  auto [peer, other] = connect();
  peer.send("ab");
  peer.send("cd");
  EXPECT_EQ(read(*other), "abcd");
  EXPECT_EQ(peer.received(), "");
  write(*other, "ef");
  EXPECT_EQ(peer.received(), "ef");
  write(*other, "gh");
  EXPECT_EQ(peer.received(), "efgh");
  EXPECT_EQ(peer.take(), "efgh");
  EXPECT_EQ(peer.take(), "");
  write(*other, "ij");
  EXPECT_EQ(peer.take(), "ij");
}

TEST_F(PeerTest, IsClosedOnceAllHasBeenReceived) {
  auto [peer, other] = connect();
  write(*other, "last");
  ASSERT_TRUE(other->try_close_write());
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  EXPECT_EQ(peer.received(), "last");
  peer.send("still open this way");
  EXPECT_EQ(read(*other), "still open this way");
}

TEST_F(PeerTest, KnowsAResetFromAnEnd) {
  auto [peer, other] = connect();
  write(*other, "last");
  EXPECT_FALSE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  other->abort();
  EXPECT_TRUE(peer.was_reset());
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.received(), "last");
}

TEST_F(PeerTest, KeepsWhatDoesNotFitUntilAVerbFindsRoom) {
  inmem::PipeOptions narrow;
  narrow.capacity_bytes = 3;
  auto [peer, other] = connect(narrow);
  peer.send("abcdefgh");
  EXPECT_EQ(peer.unsent(), 5U);
  EXPECT_EQ(read(*other), "abc");
  EXPECT_EQ(read(*other), "") << "only a verb sends";
  EXPECT_EQ(peer.unsent(), 2U);
  EXPECT_EQ(read(*other), "def");
  EXPECT_EQ(peer.received(), "");
  EXPECT_EQ(read(*other), "gh");
  EXPECT_EQ(peer.unsent(), 0U);
}

TEST_F(PeerTest, FinishesBehindWhatIsUnsent) {
  inmem::PipeOptions narrow;
  narrow.capacity_bytes = 3;
  auto [peer, other] = connect(narrow);
  peer.send("abcde");
  peer.close_write();
  EXPECT_EQ(read(*other), "abc");
  EXPECT_EQ(peer.unsent(), 0U);
  EXPECT_EQ(read(*other), "de");
  std::array<char, 10> room;
  EXPECT_EQ(other->try_read(room), 0U);
}

TEST_F(PeerTest, DropsWhatCanNeverBeSent) {
  auto [peer, other] = connect();
  other->abort();
  peer.send("too late");
  EXPECT_EQ(peer.unsent(), 0U);
  EXPECT_TRUE(peer.was_reset());
}

TEST_F(PeerTest, Aborts) {
  auto [peer, other] = connect();
  peer.abort();
  std::array<char, 10> room;
  EXPECT_EQ(other->try_read(room).error(), std::errc::connection_reset);
}

TEST(Peer, LetsEverythingRunThatCanAndNeverMovesTheClock) {
  const Server server([](RequestCtx& ctx) { ctx.set_body("x"); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send(kGet);
  EXPECT_NE(peer.received(), "");
  peer.send("GET / HT");
  EXPECT_FALSE(peer.closed());
  EXPECT_EQ(peer.unsent(), 0U);
  EXPECT_FALSE(peer.was_reset());
  peer.take();
  peer.close_write();
  EXPECT_TRUE(peer.closed());
  peer.abort();
  EXPECT_EQ(lab.elapsed(), 0s);
}

TEST(Peer, ReadsNothingUntilItIsAsked) {
  const Server server([](RequestCtx& ctx) { ctx.set_body(std::string(100'000, 'x')); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send(kGet);
  lab.advance(59s);
  EXPECT_EQ(peer.unsent(), 0U) << "which does not read";
  lab.advance(1s - 1ns);
  EXPECT_GT(peer.received().size(), 100'000U) << "all of it, in one go";
  EXPECT_FALSE(peer.was_reset());
}

TEST(Peer, ThatDoesNotReadIsASlowReader) {
  const Server server([](RequestCtx& ctx) { ctx.set_body(std::string(100'000, 'x')); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send(kGet);
  lab.advance(60s);
  EXPECT_EQ(peer.received().size(), 64U * 1024) << "what the pipe held when the server gave up";
  EXPECT_TRUE(peer.was_reset());
}

TEST(Peer, SendsMoreThanAPipeHoldsToAServerThatReads) {
  const Server server([](RequestCtx& ctx) { ctx.set_body(std::to_string(ctx.body().size())); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  EXPECT_TRUE(peer.received().ends_with("\r\n\r\n1000000"));
  EXPECT_EQ(peer.unsent(), 0U);
}

}  // namespace
}  // namespace pipette::lab
