#include "pipette/lab/contract/connection_contract.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pipette/net/close.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using net::ReadSome;

// Deadlines that are waited for pass in real time on real sockets, so they are short.
constexpr Duration kSoon = 20ms;
constexpr TimePoint kLongAgo{};

Result<std::size_t> try_write(Connection& connection, Bytes text) { return connection.try_write(std::span(&text, 1)); }

// Whether `end` is how a connection ends whose peer has aborted.
bool is_end_by_abort(const Result<std::size_t>& end, const ConnectionTransport& transport) {
  if (!end) return end.error() == std::errc::connection_reset;
  return transport.may_hide_resets();
}

// Reading from an end, for as long as it has a waiter that a test can reach.
Task<> await_reader(ReadSome& reader, Result<std::size_t>& result) { result = co_await reader; }

// ---- order and end --------------------------------------------------------------------------------------------------

TEST_P(ConnectionContract, DeliversBytesInOrder) {
  send(here(), "hello, ");
  send(here(), "world");
  EXPECT_EQ(receive(there(), 12), "hello, world");
}

TEST_P(ConnectionContract, CarriesBothDirectionsApart) {
  send(here(), "question");
  send(there(), "answer");
  EXPECT_EQ(receive(here(), 6), "answer");
  EXPECT_EQ(receive(there(), 8), "question");
}

TEST_P(ConnectionContract, LetsReadsSplitWrites) {
  send(here(), "abcdef");
  EXPECT_EQ(receive(there(), 1), "a");
  EXPECT_EQ(receive(there(), 2), "bc");
  EXPECT_EQ(receive(there(), 3), "def");
}

TEST_P(ConnectionContract, NeverReadsMoreThanThereIsRoomFor) {
  send(here(), "abcdef");
  run_until([&] { return there().try_read(std::span(room_).first(2)).has_value(); });
  EXPECT_EQ(room_[2], '\0');
}

TEST_P(ConnectionContract, WritesPiecesInOrder) {
  const std::array<Bytes, 5> pieces = {"ab", "", "c", "", "def"};
  const Result<std::size_t> taken = here().try_write(pieces);
  ASSERT_TRUE(taken);
  EXPECT_EQ(receive(there(), *taken), std::string("abcdef").substr(0, *taken));
}

TEST_P(ConnectionContract, TakesMorePiecesThanTheSystemDoesAtOnce) {
  const std::vector<Bytes> pieces(5000, "p");
  const auto write = [](Connection& to, std::span<const Bytes> all) -> Task<Result<void>> {
    co_return co_await to.write(all);
  };
  Task<Result<void>> writing = write(here(), pieces);
  writing.start();
  EXPECT_EQ(receive(there(), 5000), std::string(5000, 'p'));
  run_until([&] { return writing.done(); });
  EXPECT_TRUE(writing.await_resume());
}

TEST_P(ConnectionContract, CountsEmptyPiecesAsNothing) {
  const std::array<Bytes, 2> pieces = {"", ""};
  EXPECT_THAT(here().try_write(pieces), gives(0));
  EXPECT_THAT(here().try_write({}), gives(0));
  fill(here());
  EXPECT_THAT(here().try_write(pieces), gives(0));
}

TEST_P(ConnectionContract, SaysWouldBlockUntilSomethingArrives) {
  EXPECT_THAT(there().try_read(room_), fails_with(Errc::would_block));
  send(here(), "x");
  EXPECT_EQ(receive(there(), 1), "x");
  EXPECT_THAT(there().try_read(room_), fails_with(Errc::would_block));
}

TEST_P(ConnectionContract, ReadsZeroOnlyAfterAllDataAndFromThenOn) {
  send(here(), "last words");
  ASSERT_TRUE(here().try_close_write());
  EXPECT_EQ(receive(there(), 10), "last words");
  EXPECT_THAT(read(there()), gives(0));
  EXPECT_THAT(there().try_read(room_), gives(0));
}

TEST_P(ConnectionContract, StillReadsZeroAfterAWriteHasMetAReset) {
  ASSERT_TRUE(here().try_close_write());
  EXPECT_THAT(read(there()), gives(0));
  here_.reset();
  EXPECT_THAT(write_until_failure(there()), fails_with(std::errc::connection_reset));
  EXPECT_THAT(there().try_read(room_), gives(0));
}

TEST_P(ConnectionContract, LeavesTheOtherDirectionOpenAfterHalfClose) {
  ASSERT_TRUE(here().try_close_write());
  EXPECT_THAT(read(there()), gives(0));
  send(there(), "still here");
  EXPECT_EQ(receive(here(), 10), "still here");
}

TEST_P(ConnectionContract, IsClosedTwiceWithoutHarm) {
  EXPECT_TRUE(here().try_close_write());
  EXPECT_TRUE(here().try_close_write());
}

TEST_P(ConnectionContract, FailsToWriteAfterCloseWrite) {
  ASSERT_TRUE(here().try_close_write());
  EXPECT_THAT(try_write(here(), "x"), fails_with(std::errc::broken_pipe));
  EXPECT_THAT(try_write(here(), ""), gives(0));
}

TEST_P(ConnectionContract, StopsTakingBytesUntilThePeerReads) {
  const std::size_t sent = fill(here());
  EXPECT_GT(sent, 0U);
  Wake writable;
  here().wait(Direction::write, writable);
  std::string received;
  while (writable.count == 0 && received.size() < sent) {
    received += receive(there(), std::min<std::size_t>(4096, sent - received.size()));
  }
  run_until([&] { return writable.count == 1; });
  const std::size_t more = fill(here(), sent);
  EXPECT_GT(more, 0U);
  received += receive(there(), sent + more - received.size());
  ASSERT_EQ(received.size(), sent + more);
  for (std::size_t i = 0; i < received.size(); ++i) ASSERT_EQ(received[i], pattern_octet(i)) << "octet " << i;
}

// ---- close ----------------------------------------------------------------------------------------------------------

TEST_P(ConnectionContract, CloseDeliversWhatWasAcceptedOverUnreadInput) {
  send(there(), "more than anybody asked for");
  send(here(), "the answer");
  Task<Result<void>> closing = net::close(here(), kNever);
  closing.start();
  EXPECT_EQ(receive(there(), 10), "the answer");
  EXPECT_THAT(read(there()), gives(0));
  run_until([&] { return there().try_close_write().has_value(); });
  run_until([&] { return closing.done(); });
  EXPECT_TRUE(closing.await_resume());
  here_.reset();
  EXPECT_THAT(read(there()), gives(0));
}

TEST_P(ConnectionContract, CloseLingersOverSoMuchAndNoMore) {
  Task<Result<void>> closing = net::close(here(), kNever, /*max_linger_bytes=*/100);
  closing.start();
  run_until([&] {
    // More than once: a try may come too early, and nobody waits to try again.
    for (int tries = 0; tries < 4 && !closing.done(); ++tries) std::ignore = try_write(there(), "babble");
    return closing.done();
  });
  EXPECT_THAT(closing.await_resume(), fails_with(Errc::body_too_large));
}

TEST_P(ConnectionContract, CloseLingersForSoLongAndNoLonger) {
  const TimePoint deadline = after(loop().now(), kSoon);
  EXPECT_THAT(await(net::close(here(), deadline)), fails_with(std::errc::timed_out));
  EXPECT_GE(loop().now(), deadline);
}

TEST_P(ConnectionContract, DeliversAllThatWasTakenWhenItDiesAfterCloseWrite) {
  const std::size_t sent = fill(here());
  std::string received;
  for (Result<void> closed = here().try_close_write(); !closed; closed = here().try_close_write()) {
    ASSERT_THAT(closed, fails_with(Errc::would_block));  // not all of it has reached the layer below
    received += receive(there(), 1);
  }
  here_.reset();
  received += receive(there(), sent - received.size());
  EXPECT_EQ(received.size(), sent);
  EXPECT_THAT(read(there()), gives(0));
}

TEST_P(ConnectionContract, ResetsWhenItDiesWithUnreadInput) {
  send(there(), "unread");
  run_until([&] { return here().try_read(std::span(room_).first(1)).has_value(); });
  ASSERT_TRUE(here().try_close_write());
  here_.reset();
  EXPECT_THAT(write_until_failure(there()), fails_with(std::errc::connection_reset));
}

TEST_P(ConnectionContract, AbortsWhenItDiesWithoutCloseWrite) {
  here_.reset();
  EXPECT_TRUE(is_end_by_abort(read_to_end(there()), transport()));
}

// ---- abort ----------------------------------------------------------------------------------------------------------

TEST_P(ConnectionContract, AbortWakesPendingWaits) {
  fill(here());
  Wake reader;
  Wake writer;
  here().wait(Direction::read, reader);
  here().wait(Direction::write, writer);
  here().abort();
  EXPECT_EQ(reader.count + writer.count, 0) << "a wake only enqueues";
  run_until([&] { return reader.count == 1 && writer.count == 1; });
}

TEST_P(ConnectionContract, FailsEveryTryAfterAbort) {
  send(there(), "too late");
  here().abort();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(here().try_read(room_), fails_with(std::errc::operation_canceled));
    EXPECT_THAT(try_write(here(), "x"), fails_with(std::errc::operation_canceled));
    EXPECT_THAT(here().try_close_write(), fails_with(std::errc::operation_canceled));
    here().abort();
  }
}

TEST_P(ConnectionContract, WakesWhoWaitsAfterAbort) {
  here().abort();
  EXPECT_THAT(read(here()), fails_with(std::errc::operation_canceled));
  Wake writer;
  here().wait(Direction::write, writer);
  run_until([&] { return writer.count == 1; });
}

TEST_P(ConnectionContract, AbortHeedsNoDeadline) {
  here().set_deadline(Direction::read, kLongAgo);
  here().set_deadline(Direction::write, kLongAgo);
  here().abort();
  EXPECT_THAT(here().try_read(room_), fails_with(std::errc::operation_canceled));
  EXPECT_THAT(try_write(here(), "x"), fails_with(std::errc::operation_canceled));
  EXPECT_TRUE(is_end_by_abort(read_to_end(there()), transport()));
}

TEST_P(ConnectionContract, GivesThePeerOfAnAbortAPrefixAndThenAReset) {
  send(here(), "perhaps");
  here().abort();
  std::string prefix = receive(there(), 7);
  EXPECT_TRUE(std::string("perhaps").starts_with(prefix)) << prefix;
  EXPECT_TRUE(is_end_by_abort(read_to_end(there()), transport()));
  EXPECT_TRUE(is_end_by_abort(read(there()), transport())) << "and it stays so";
  EXPECT_THAT(write_until_failure(there()), fails_with(std::errc::connection_reset));
}

TEST_P(ConnectionContract, StillReadsAResetAfterAWriteHasMetIt) {
  here().abort();
  EXPECT_THAT(write_until_failure(there()), fails_with(std::errc::connection_reset));
  EXPECT_TRUE(is_end_by_abort(read_to_end(there()), transport()));
  EXPECT_THAT(try_write(there(), "x"), fails_with(std::errc::connection_reset));
}

TEST_P(ConnectionContract, WakesThePeerOfAnAbort) {
  fill(there());
  Wake reader;
  Wake writer;
  there().wait(Direction::read, reader);
  there().wait(Direction::write, writer);
  here().abort();
  run_until([&] { return reader.count > 0 && writer.count > 0; });
  EXPECT_EQ(reader.count, 1);
  EXPECT_EQ(writer.count, 1);
}

TEST_P(ConnectionContract, MayBeAbortedInsideAWake) {
  Wake reader;
  Wake writer;
  fill(here());
  here().wait(Direction::write, writer);
  here().wait(Direction::read, reader);
  reader.action = [&] { here().abort(); };
  send(there(), "x");
  run_until([&] { return reader.count == 1 && writer.count == 1; });
  EXPECT_THAT(here().try_read(room_), fails_with(std::errc::operation_canceled));
}

TEST_P(ConnectionContract, MayBeDestroyedInsideAWake) {
  Wake reader;
  here().wait(Direction::read, reader);
  reader.action = [&] { here_.reset(); };
  send(there(), "x");
  run_until([&] { return reader.count == 1; });
  EXPECT_TRUE(is_end_by_abort(read_to_end(there()), transport()));
}

// ---- deadlines ------------------------------------------------------------------------------------------------------

TEST_P(ConnectionContract, TimesOutAtItsDeadline) {
  const TimePoint deadline = after(loop().now(), kSoon);
  here().set_deadline(Direction::read, deadline);
  EXPECT_THAT(read(here()), fails_with(std::errc::timed_out));
  EXPECT_GE(loop().now(), deadline);
}

TEST_P(ConnectionContract, TimesOutInTheWriteDirectionToo) {
  fill(here());
  here().set_deadline(Direction::write, after(loop().now(), kSoon));
  EXPECT_THAT(write_until_failure(here()), fails_with(std::errc::timed_out));
}

TEST_P(ConnectionContract, WakesAPendingWaitAtADeadlineThatIsSetLater) {
  Wake reader;
  here().wait(Direction::read, reader);
  here().set_deadline(Direction::read, after(loop().now(), kSoon));
  run_until([&] { return reader.count == 1; });
  EXPECT_THAT(here().try_read(room_), fails_with(std::errc::timed_out));
}

TEST_P(ConnectionContract, WakesAPendingWaitAtADeadlineInThePast) {
  Wake reader;
  here().wait(Direction::read, reader);
  here().set_deadline(Direction::read, kLongAgo);
  EXPECT_EQ(reader.count, 0);
  run_until([&] { return reader.count == 1; });
}

TEST_P(ConnectionContract, FailsAtOnceAtADeadlineInThePastAndStaysSo) {
  here().set_deadline(Direction::read, loop().now());
  here().set_deadline(Direction::write, kLongAgo);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(here().try_read(room_), fails_with(std::errc::timed_out));
    EXPECT_THAT(try_write(here(), "x"), fails_with(std::errc::timed_out));
    EXPECT_THAT(here().try_close_write(), fails_with(std::errc::timed_out));
  }
}

TEST_P(ConnectionContract, TimesOutEvenWithDataThereUntilTheDeadlineIsMoved) {
  send(there(), "there all along");
  EXPECT_EQ(receive(here(), 1), "t");
  here().set_deadline(Direction::read, kLongAgo);
  EXPECT_THAT(here().try_read(room_), fails_with(std::errc::timed_out));
  here().set_deadline(Direction::read, after(loop().now(), 1h));
  EXPECT_EQ(receive(here(), 14), "here all along");
}

TEST_P(ConnectionContract, HasADeadlineForEachDirection) {
  here().set_deadline(Direction::read, kLongAgo);
  send(here(), "x");
  EXPECT_EQ(receive(there(), 1), "x");
  there().set_deadline(Direction::write, kLongAgo);
  send(here(), "y");
  EXPECT_EQ(receive(there(), 1), "y");
}

TEST_P(ConnectionContract, ForgetsADeadlineThatIsCleared) {
  Wake reader;
  here().set_deadline(Direction::read, after(loop().now(), kSoon));
  here().wait(Direction::read, reader);
  here().set_deadline(Direction::read, kNever);
  pass(kSoon + 5ms);
  EXPECT_THAT(here().try_read(room_), fails_with(Errc::would_block));
  reader.unlink();
  send(there(), "x");
  EXPECT_EQ(receive(here(), 1), "x");
}

TEST_P(ConnectionContract, WaitsForADeadlineThatIsMovedLater) {
  const TimePoint later = after(loop().now(), kSoon + 15ms);
  here().set_deadline(Direction::read, after(loop().now(), kSoon));
  Wake reader;
  here().wait(Direction::read, reader);
  here().set_deadline(Direction::read, later);
  run_until([&] { return reader.count == 1; });
  EXPECT_GE(loop().now(), later);
}

// ---- waiting --------------------------------------------------------------------------------------------------------

TEST_P(ConnectionContract, WakesAReaderWhenBytesArrive) {
  Wake reader;
  here().wait(Direction::read, reader);
  send(there(), "x");
  run_until([&] { return reader.count == 1; });
  EXPECT_THAT(read(here()), gives(1));
}

TEST_P(ConnectionContract, WakesAReaderWhenThePeerHasFinished) {
  Wake reader;
  here().wait(Direction::read, reader);
  ASSERT_TRUE(there().try_close_write());
  run_until([&] { return reader.count == 1; });
  EXPECT_THAT(here().try_read(room_), gives(0));
}

TEST_P(ConnectionContract, WakesFromTheLoopWhenNothingHasToBeWaitedFor) {
  send(there(), "xy");
  EXPECT_EQ(receive(here(), 1), "x");
  Wake reader;
  Wake writer;
  here().wait(Direction::read, reader);
  here().wait(Direction::write, writer);
  EXPECT_EQ(reader.count + writer.count, 0) << "wait() itself runs nobody";
  run_until([&] { return reader.count == 1 && writer.count == 1; });
}

TEST_P(ConnectionContract, WakesOnceAWait) {
  Wake reader;
  here().wait(Direction::read, reader);
  send(there(), "x");
  run_until([&] { return reader.count == 1; });
  send(there(), "y");
  EXPECT_EQ(receive(here(), 2), "xy");
  ASSERT_TRUE(there().try_close_write());
  EXPECT_THAT(read(here()), gives(0));
  EXPECT_EQ(reader.count, 1);
}

TEST_P(ConnectionContract, ForgetsAWaiterThatDiesBeforeItsWake) {
  {
    Wake reader;
    here().wait(Direction::read, reader);
  }
  send(there(), "x");
  EXPECT_EQ(receive(here(), 1), "x");
}

TEST_P(ConnectionContract, ForgetsAWaiterThatDiesAfterItsWake) {
  {
    Wake reader;
    Wake writer;
    here().wait(Direction::read, reader);
    here().wait(Direction::write, writer);
    here().abort();  // both are enqueued now
  }
  EXPECT_THAT(read(here()), fails_with(std::errc::operation_canceled));
}

TEST_P(ConnectionContract, SurvivesSpuriousWakes) {
  ReadSome reader = here().read_some(room_);
  Result<std::size_t> result;
  Task<> reading = await_reader(reader, result);
  reading.start();
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(reading.done());
    loop().enqueue(reader);
    EXPECT_TRUE(transport().step());
  }
  ASSERT_FALSE(reading.done());
  send(there(), "x");
  run_until([&] { return reading.done(); });
  EXPECT_THAT(result, gives(1));
}

TEST_P(ConnectionContract, CancelsAReadWhenItsTaskDies) {
  {
    ReadSome reader = here().read_some(room_);
    Result<std::size_t> result;
    Task<> reading = await_reader(reader, result);
    reading.start();
  }
  send(there(), "x");
  EXPECT_EQ(receive(here(), 1), "x");
}

}  // namespace

void ConnectionContract::SetUpTestSuite() {}

}  // namespace pipette::lab
