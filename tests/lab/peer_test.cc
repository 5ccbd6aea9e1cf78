// Scripted peers: their verbs settle first and never move the clock.
#include "pipette/lab/peer.h"

#include <array>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class PeerTest : public testing::Test {
 protected:
  // A peer and the other end of its connection.
  std::pair<Peer, std::unique_ptr<net::Connection>> connect(const net::ChannelOptions& options = {}) {
    auto [here, there] = inmem::make_pipe(lab_.world().loop(), options);
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
  net::ChannelOptions narrow;
  narrow.with_capacity(3);
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
  net::ChannelOptions narrow;
  narrow.with_capacity(3);
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

TEST_F(PeerTest, SendsSlowlyAsTheClockGoesOn) {
  auto [peer, other] = connect();
  peer.send_slowly("abc", 1s);
  peer.send("de");
  peer.close_write();
  EXPECT_EQ(read(*other), "a");
  EXPECT_EQ(peer.unsent(), 4U);
  Peer moved = std::move(peer);
  lab_.advance(1s - 1ns);
  EXPECT_EQ(read(*other), "");
  lab_.advance(1ns);
  EXPECT_EQ(read(*other), "b");
  lab_.advance(1s);
  EXPECT_EQ(read(*other), "cde") << "what was sent later goes behind";
  std::array<char, 10> room;
  EXPECT_EQ(other->try_read(room), 0U);
  EXPECT_EQ(moved.unsent(), 0U);
}

TEST_F(PeerTest, StopsSendingSlowlyWhenItIsGone) {
  auto other = [this] {
    auto [peer, there] = connect();
    peer.send_slowly("abc", 1s);
    return std::move(there);
  }();
  lab_.advance(1h);
  EXPECT_EQ(read(*other), "a");
}

// ---- expecting -------------------------------------------------------------------------------------------

// How `body` fails; empty when it does not.
std::string complaint(const std::function<void()>& body) { return GTestProbe().run(body).value_or(""); }

TEST_F(PeerTest, ConsumesWhatItExpects) {
  auto [peer, other] = connect();
  write(*other, "one two {three}");
  peer.expect("one");
  EXPECT_EQ(peer.expect_matching(" {word} \\{")["word"], "two");
  EXPECT_EQ(peer.received(), "three}");
  peer.expect("");
  peer.expect("three}");
  peer.expect_nothing();
  write(*other, "more");
  ASSERT_TRUE(other->try_close_write());
  EXPECT_NE(complaint([&] { peer.expect_closed(); }), "");
  peer.expect("more");
  peer.expect_closed();
  EXPECT_NE(complaint([&] { peer.expect_nothing(); }), "");
  EXPECT_NE(complaint([&] { peer.expect_reset(); }), "");
  other->abort();
}

TEST_F(PeerTest, MarksTheFirstDifference) {
  auto [peer, other] = connect();
  write(*other, "HTTP/1.1 404 Not Found\r\n");
  EXPECT_THAT(
      complaint([&] { peer.expect("HTTP/1.1 200 OK"); }),
      testing::MatchesRegex(".*peer_test.cc:[0-9]+: Failed\nexpected 15 octets, but another one came at octet 9\n"
                            "  expected  \"HTTP/1.1 200 OK\"\n"
                            "  received  \"HTTP/1.1 404 Not Found\\\\r\\\\n\"\n"
                            "                      \\^\n"
                            "  and the connection is open"));
  EXPECT_THAT(complaint([&] { peer.expect("HTTP/1.1 404 Not Found\r\nX"); }),
              testing::HasSubstr("expected 25 octets, but only 24 of them have come\n"));
  EXPECT_THAT(complaint([&] { peer.expect_matching("HTTP/1.1 4{rest} Lost\r\n"); }),
              testing::HasSubstr("does not match \"HTTP/1.1 4{rest} Lost\\r\\n\" from octet"));
  EXPECT_THAT(complaint([&] { peer.expect_nothing(); }), testing::HasSubstr("nothing was expected\n"));
  EXPECT_EQ(peer.received(), "HTTP/1.1 404 Not Found\r\n") << "a failure consumes nothing";
  other->abort();
  EXPECT_THAT(complaint([&] { peer.expect_closed(); }), testing::HasSubstr("and the connection was reset"));
  peer.expect_reset();
}

TEST_F(PeerTest, EndsTheBodyWithOneFailureAtTheLineThatExpects) {
  auto [peer, other] = connect();
  bool went_on = false;
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter interception(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    EXPECT_THROW(
        {
          peer.expect("something");
          went_on = true;
        },
        testing::AssertionException)
        << "which GoogleTest takes for a failure that it knows of";
  }
  EXPECT_FALSE(went_on);
  ASSERT_EQ(failures.size(), 1);
  EXPECT_THAT(failures.GetTestPartResult(0).file_name(), testing::EndsWith("peer_test.cc"));
  EXPECT_THAT(failures.GetTestPartResult(0).message(), testing::StartsWith("Failed\nexpected 9 octets"));
  EXPECT_FALSE(HasFailure());
  peer.close_write();
}

TEST_F(PeerTest, ShowsOnlyWhatIsAroundADifference) {
  auto [peer, other] = connect();
  write(*other, std::string(1000, 'a') + "b");
  const std::string same(40, 'a');
  EXPECT_THAT(complaint([&] { peer.expect(std::string(1001, 'a')); }),
              testing::HasSubstr("  expected  …\"" + same + "a\"\n  received  …\"" + same + "b\"\n" +
                                 std::string(12 + 2 + 40, ' ') + "^\n"));
}

TEST(Peer, TakesResponsesOneAtATime) {
  const Server server([](RequestCtx& ctx) { ctx.set_body(ctx.path()); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  for (const std::string_view request : {"GET /1", "HEAD /2", "POST /3", "GET /4"}) {
    peer.send(std::string(request) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  EXPECT_EQ(peer.read_response().body, "/1");
  const client::Response second = peer.expect_response(200);
  EXPECT_EQ(second.body, "") << "it answers a HEAD";
  EXPECT_EQ(second.header("Content-Length"), "2");
  EXPECT_EQ(peer.expect_response(200).body, "/3");
  EXPECT_EQ(peer.read_response(http::Method::head).body, "") << "if the test says so";
  peer.expect("/4");
  peer.send("no request\r\n\r\n");
  EXPECT_EQ(peer.expect_response(400).header("Connection"), "close");
  peer.expect_closed();
}

TEST(Peer, TakesInterimResponsesToo) {
  const Server server([](RequestCtx& ctx) { ctx.set_body(ctx.body()); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  peer.expect_response(100);
  peer.send("body");
  EXPECT_EQ(peer.expect_response(200).body, "body");
}

TEST_F(PeerTest, SaysWhyThereIsNoResponse) {
  struct Row {
    std::string_view octets;
    bool is_closed;
    std::string_view complaint;
  };
  for (const Row& row :
       {Row{"", false, "a response 200 was expected, but no whole one has come\n"},
        Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour", false, "but no whole one has come\n"},
        Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour", true, "but this is none: "},
        Row{"junk\r\n\r\n", false, "but this is none: "},
        Row{"HTTP/1.1 204 No Content\r\n\r\n", false, "a response 200 was expected, but it is 204\n"}}) {
    auto [peer, other] = connect();
    write(*other, row.octets);
    if (row.is_closed) (void)other->try_close_write();
    EXPECT_THAT(complaint([&] { peer.expect_response(200); }), testing::HasSubstr(row.complaint));
    EXPECT_EQ(peer.received(), row.octets);
  }
  auto [peer, other] = connect();
  write(*other, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
  ASSERT_TRUE(other->try_close_write());
  EXPECT_EQ(peer.read_response().body, "until the end");
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
