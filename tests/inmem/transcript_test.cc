// The lines in which a world tells what happened.
#include "pipette/inmem/transcript.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr TimePoint at(Duration since_start) { return TimePoint(since_start); }

EventLog log_of(const std::vector<std::string_view>& notes) {
  EventLog log;
  for (const std::string_view note : notes) log.note(at(0ns), note);
  return log;
}

TEST(Transcript, HasALineAnEvent) {
  EventLog log;
  log.note(at(0ns), "first");
  const std::uint32_t number = log.add_connection({.label = "conn 1", .names = {"a", "b"}, .addresses = {}});
  log.add({.time = at(10s), .kind = EventKind::sent, .side = 0, .connection = number, .count = 3}, "x\r\n");
  EXPECT_THAT(transcript_lines(log),
              ElementsAre("+0.000000000  first", R"(+10.000000000  conn 1  a -> b  3 B  "x\r\n")"));
  EXPECT_EQ(transcript(log), transcript_lines(log)[0] + "\n" + transcript_lines(log)[1] + "\n");
}

TEST(Transcript, ShowsItsEnd) {
  const EventLog log = log_of({"a", "b", "c"});
  EXPECT_EQ(transcript_tail(log, 3), "  +0.000000000  a\n  +0.000000000  b\n  +0.000000000  c\n");
  EXPECT_EQ(transcript_tail(log, 1), "  … 2 earlier events\n  +0.000000000  c\n");
  EXPECT_EQ(transcript_tail(EventLog(), 5), "");
}

// ---- what pipes put into it ------------------------------------------------------------------------------

class RecordedPipe : public testing::Test {
 protected:
  RecordedPipe() {
    PipeSetup setup;
    setup.loops = {&world_.loop(), &world_.loop()};
    setup.wire_loop = &world_.loop();
    setup.log = &world_.log();
    setup.number = world_.log().add_connection({.label = "conn 7", .names = {"client", "server"}, .addresses = {}});
    std::tie(client_, server_) = make_pipe(setup);
  }
  static Result<std::size_t> write(net::Connection& connection, Bytes bytes) {
    return connection.try_write({&bytes, 1});
  }
  static Result<std::size_t> read(net::Connection& connection) {
    std::array<char, 100> room;
    return connection.try_read(room);
  }
  // The last line, without its time.
  std::string last() { return transcript_lines(world_.log()).back().substr(14); }

  World world_;
  std::unique_ptr<PipeEnd> client_;
  std::unique_ptr<PipeEnd> server_;
};

TEST_F(RecordedPipe, TellsWhatWasSentAndWhen) {
  ASSERT_TRUE(write(*client_, "GET"));
  world_.advance_to(at(1500ms));
  const std::array<Bytes, 3> pieces = {"HTTP", "", "/1.1"};
  ASSERT_TRUE(server_->try_write(pieces));
  EXPECT_THAT(transcript_lines(world_.log()),
              ElementsAre(R"(+0.000000000  conn 7  client -> server  3 B  "GET")",
                          R"(+1.500000000  conn 7  server -> client  8 B  "HTTP/1.1")"));
}

TEST_F(RecordedPipe, TellsOfFinishingOnce) {
  ASSERT_TRUE(client_->try_close_write());
  ASSERT_TRUE(client_->try_close_write());
  EXPECT_THAT(transcript_lines(world_.log()), ElementsAre("+0.000000000  conn 7  client -> server  FIN"));
}

TEST_F(RecordedPipe, TellsOfAnOrderlyEnd) {
  ASSERT_TRUE(client_->try_close_write());
  client_.reset();
  EXPECT_EQ(last(), "conn 7  client -> server  closed");
}

TEST_F(RecordedPipe, TellsWhyItWasReset) {
  client_->abort();
  EXPECT_EQ(last(), "conn 7  reset: client aborts");
}

TEST_F(RecordedPipe, TellsThatAnOpenEndWasDropped) {
  server_.reset();
  EXPECT_EQ(last(), "conn 7  reset: server is dropped while open");
}

TEST_F(RecordedPipe, TellsThatInputWasUnread) {
  ASSERT_TRUE(write(*client_, "unread"));
  ASSERT_TRUE(server_->try_close_write());
  server_.reset();
  EXPECT_EQ(last(), "conn 7  reset: server is closed with unread input");
}

TEST_F(RecordedPipe, TellsThatNobodyIsThereToWriteTo) {
  ASSERT_TRUE(server_->try_close_write());
  server_.reset();
  EXPECT_FALSE(write(*client_, "too late"));
  EXPECT_EQ(last(), "conn 7  reset: server has closed, and is written to");
}

TEST_F(RecordedPipe, TellsOfOneResetOnly) {
  client_->abort();
  server_->abort();
  client_.reset();
  server_.reset();
  EXPECT_EQ(transcript_lines(world_.log()).size(), 1U);
}

TEST_F(RecordedPipe, TellsOnlyWhatWasTaken) {
  net::ChannelOptions options;
  options.max_write_bytes = 5;
  client_->set_options(options);
  const std::array<Bytes, 2> pieces = {"abc", "defg"};
  EXPECT_EQ(client_->try_write(pieces), 5U);
  EXPECT_EQ(last(), R"(conn 7  client -> server  5 B  "abcde")");
  EXPECT_EQ(read(*server_), 5U);
}

}  // namespace
}  // namespace pipette::inmem
