// What is special about pipes; what they share with every connection is in the contract suite.
#include "pipette/inmem/pipe.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "pipette/async/task.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Direction;

class PipeTest : public testing::Test {
 protected:
  void make(const net::ChannelOptions& options) { std::tie(here_, there_) = make_pipe(loop_, options); }
  Result<std::size_t> write(Bytes bytes) { return here_->try_write({&bytes, 1}); }
  // What one read of the other end gives.
  std::string read(std::size_t room = 1000) {
    std::string text(room, '\0');
    const Result<std::size_t> count = there_->try_read(text);
    text.resize(count.value_or(0));
    return text;
  }

  World world_;
  Loop& loop_ = world_.loop();
  std::unique_ptr<PipeEnd> here_;
  std::unique_ptr<PipeEnd> there_;
};

TEST_F(PipeTest, TakesAsMuchAsItsCapacity) {
  net::ChannelOptions options;
  options.with_capacity(10);
  make(options);
  EXPECT_EQ(write("0123456789abc"), 10U);
  EXPECT_EQ(write("x").error(), Errc::would_block);
  EXPECT_EQ(read(4), "0123");
  EXPECT_EQ(write("abcdefgh"), 4U);
  EXPECT_EQ(read(), "456789abcd");
}

TEST_F(PipeTest, Takes64KilobytesUnlessToldOtherwise) {
  make({});
  EXPECT_EQ(write(std::string(100'000, 'x')), 64U * 1024);
}

TEST_F(PipeTest, HasACapacityForEachDirection) {
  net::ChannelOptions options;
  options.with_capacity(3);
  make(options);
  EXPECT_EQ(write("abcd"), 3U);
  const Bytes other = "efgh";
  EXPECT_EQ(there_->try_write({&other, 1}), 3U);
}

TEST_F(PipeTest, GivesNoMoreThanSoMuchAtATime) {
  net::ChannelOptions options;
  options.max_read_bytes = 2;
  make(options);
  EXPECT_EQ(write("abcde"), 5U);
  EXPECT_EQ(read(), "ab");
  EXPECT_EQ(read(1), "c");
  EXPECT_EQ(read(), "de");
}

TEST_F(PipeTest, TakesNoMoreThanSoMuchAtATime) {
  net::ChannelOptions options;
  options.max_write_bytes = 2;
  make(options);
  EXPECT_EQ(write("abcde"), 2U);
  EXPECT_EQ(write("cde"), 2U);
  EXPECT_EQ(write("e"), 1U);
  EXPECT_EQ(read(), "abcde");
}

TEST_F(PipeTest, CutsOneEndDifferentlyFromNowOn) {
  make({});
  net::ChannelOptions options;
  options.max_write_bytes = 1;
  options.max_read_bytes = 1;
  here_->set_options(options);
  EXPECT_EQ(write("abc"), 1U);
  const Bytes other = "def";
  EXPECT_EQ(there_->try_write({&other, 1}), 3U) << "the other end is as it was";
  std::array<char, 10> room;
  EXPECT_EQ(here_->try_read(room), 3U) << "and so is what it sends";
  EXPECT_EQ(write("bc"), 1U);
  EXPECT_EQ(read(), "a");
  EXPECT_EQ(read(), "b");
}

Task<> write_all(net::Connection& connection, Bytes bytes, bool& ok) {
  const std::span<const Bytes> pieces(&bytes, 1);
  ok = (co_await connection.write(pieces)).has_value();
  (void)connection.try_close_write();
}

Task<> read_all(net::Connection& connection, std::string& text) {
  std::array<char, 7> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count || *count == 0) co_return;
    text.append(room.data(), *count);
  }
}

TEST_F(PipeTest, DeliversEverythingThroughEveryWindow) {
  std::string sent;
  for (int i = 0; i < 500; ++i) sent += std::to_string(i);
  for (const std::size_t bytes : {1U, 2U, 3U, 10U, 511U, 512U, 513U, 100'000U}) {
    for (const int knob : {0, 1, 2}) {
      net::ChannelOptions options;
      if (knob == 0) options.with_capacity(bytes);
      if (knob == 1) options.max_read_bytes = bytes;
      if (knob == 2) options.max_write_bytes = bytes;
      make(options);
      bool ok = false;
      std::string received;
      Task<> writing = write_all(*here_, sent, ok);
      Task<> reading = read_all(*there_, received);
      reading.start();
      writing.start();
      world_.settle();
      EXPECT_TRUE(ok);
      EXPECT_TRUE(reading.done());
      EXPECT_EQ(received, sent) << bytes;
    }
  }
}

struct Wake final : net::Waiter {
  void run() override { ++count; }
  int count = 0;
};

TEST_F(PipeTest, DescribesWhoWaitsForWhat) {
  net::ChannelOptions options;
  options.with_capacity(1);
  make(options);
  EXPECT_EQ(here_->describe_waits(), "");
  EXPECT_EQ(write("xy"), 2U);
  Wake reader;
  Wake writer;
  here_->wait(Direction::read, reader);
  EXPECT_EQ(here_->describe_waits(), "pipe: first waits to read");
  here_->wait(Direction::write, writer);
  here_->set_deadline(Direction::write, TimePoint(10s));
  EXPECT_EQ(here_->describe_waits(), "pipe: first waits to read\npipe: first waits to write, until +10.000000000");
  EXPECT_EQ(there_->describe_waits(), "");
  world_.advance_to(TimePoint(10s));
  EXPECT_EQ(here_->describe_waits(), "pipe: first waits to read");
  EXPECT_EQ(reader.count, 0);
  EXPECT_EQ(writer.count, 1);
}

TEST_F(PipeTest, HasNamesOfItsOwnWhenItIsGivenNone) {
  std::tie(here_, there_) = make_pipe(loop_);
  Wake reader;
  there_->wait(Direction::read, reader);
  EXPECT_EQ(there_->describe_waits(), "pipe: second waits to read");
}

}  // namespace
}  // namespace pipette::inmem
