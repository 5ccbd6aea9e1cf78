// Faults: each of each operation strikes, and does at both ends what its table says.
#include "pipette/inmem/faults.h"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/inmem/transcript.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// Answers the question of that ordinal at one site with one answer, all others plainly.
class OneFault final : public Oracle {
 public:
  OneFault(Operation operation, unsigned answer, std::uint32_t ordinal = 0)
      : site_(fault_site(operation)), answer_(answer), ordinal_(ordinal) {}
  unsigned answer(const Question& question) override {
    return question.site == site_ && question.ordinal == ordinal_ ? answer_ : 0;
  }

 private:
  Site site_;
  unsigned answer_;
  std::uint32_t ordinal_;
};

unsigned answer_for(Operation operation, Fault fault, bool is_sticky = false) {
  const std::span<const Fault> all = faults_of(operation);
  const auto found = std::ranges::find(all, fault);
  EXPECT_NE(found, all.end());
  return static_cast<unsigned>(found - all.begin() + 1) + (is_sticky ? static_cast<unsigned>(all.size()) : 0);
}

std::string text_of(const Result<std::size_t>& result) {
  return result ? std::to_string(*result) : make_error_code(errc_of(result.error())).message();
}
std::string text_of(const Result<void>& result) {
  return result ? "done" : make_error_code(errc_of(result.error())).message();
}

// A client that has sent "abc", and an app that has sent "xyz", in a world where the app's first `operation` fails.
class Faulty {
 public:
  Faulty(Operation operation, Fault fault, bool is_sticky = false)
      : oracle_(operation, answer_for(operation, fault, is_sticky)), world_(&oracle_) {
    const Address at = Address::parse("app:80").value();
    listener_ = world_.host("app").runtime().network().listen(at).value();
    connect(client, app);
    connect(second_client, second_app);
    for (net::Connection* end : {client.get(), second_client.get()}) (void)write(*end, "abc");
    for (net::Connection* end : {app.get(), second_app.get()}) (void)write(*end, "xyz");
    world_.faults().offer();
  }

  World& world() { return world_; }

  static std::string write(net::Connection& to, Bytes text) { return text_of(to.try_write(std::span(&text, 1))); }
  static std::string read(net::Connection& from) {
    std::array<char, 16> room;
    return text_of(from.try_read(room));
  }
  static std::string strike(net::Connection& at, Operation operation) {
    switch (operation) {
      case Operation::read:
        return read(at);
      case Operation::write:
        return write(at, "more");
      default:
        return text_of(at.try_close_write());
    }
  }

 private:
  void connect(std::unique_ptr<net::Connection>& here, std::unique_ptr<net::Connection>& there) {
    here = std::move(world_.dial_now(Address::parse("app:80").value()).value().connection);
    there = std::move(listener_->try_accept().value().connection);
  }

  OneFault oracle_;
  World world_;
  std::unique_ptr<net::Listener> listener_;

 public:
  std::unique_ptr<net::Connection> client;
  std::unique_ptr<net::Connection> app;
  std::unique_ptr<net::Connection> second_client;
  std::unique_ptr<net::Connection> second_app;
};

struct ConnectionRow {
  Operation operation;
  Fault fault;
  std::string_view result;                   // of the operation that it strikes
  std::string_view then_read, then_write;    // at the same end
  std::string_view first_read, second_read;  // at the other end
  std::string_view other_write;
};

constexpr std::string_view kReset = "connection reset by the peer";
constexpr std::string_view kTimedOut = "deadline expired";
constexpr std::string_view kCanceled = "operation canceled";
constexpr std::string_view kNotYet = "not yet";

TEST(Faults, StrikeAConnectionAtBothEnds) {
  using enum Fault;
  constexpr Operation read = Operation::read;
  constexpr Operation write = Operation::write;
  constexpr Operation close = Operation::close_write;
  for (const ConnectionRow& row : {
           ConnectionRow{read, end_of_stream, "0", "0", kReset, "3", "0", kReset},
           ConnectionRow{read, reset, kReset, kReset, kReset, "3", kReset, kReset},
           ConnectionRow{read, timed_out, kTimedOut, kTimedOut, kTimedOut, "3", kNotYet, "4"},
           ConnectionRow{read, short_then_reset, "1", kReset, kReset, "3", kReset, kReset},
           ConnectionRow{read, stall, "3", kNotYet, "4", "7", kNotYet, "4"},
           ConnectionRow{read, cancel, kCanceled, kCanceled, kCanceled, "3", kReset, kReset},
           ConnectionRow{write, reset, kReset, kReset, kReset, "3", kReset, kReset},
           ConnectionRow{write, timed_out, kTimedOut, kTimedOut, kTimedOut, "3", kNotYet, "4"},
           ConnectionRow{write, short_then_reset, "1", kReset, kReset, "4", kReset, kReset},
           ConnectionRow{write, stall, "4", "3", "4", "3", kNotYet, "4"},
           ConnectionRow{write, cancel, kCanceled, kCanceled, kCanceled, "3", kReset, kReset},
           ConnectionRow{close, reset, kReset, kReset, kReset, "3", kReset, kReset},
           ConnectionRow{close, timed_out, kTimedOut, kTimedOut, kTimedOut, "3", kNotYet, "4"},
           ConnectionRow{close, cancel, kCanceled, kCanceled, kCanceled, "3", kReset, kReset},
       }) {
    SCOPED_TRACE(std::string(to_string(row.operation)) + ": " + std::string(to_string(row.fault)));
    Faulty faulty(row.operation, row.fault);
    EXPECT_EQ(Faulty::strike(*faulty.app, row.operation), row.result);
    faulty.world().faults().stop_offering();
    EXPECT_EQ(Faulty::read(*faulty.app), row.then_read);
    EXPECT_EQ(Faulty::write(*faulty.app, "then"), row.then_write);
    faulty.world().settle();
    EXPECT_EQ(Faulty::read(*faulty.client), row.first_read);
    EXPECT_EQ(Faulty::read(*faulty.client), row.second_read);
    EXPECT_EQ(Faulty::write(*faulty.client, "more"), row.other_write);
    EXPECT_EQ(faulty.world().faults().struck(row.operation, row.fault), 1U);
    EXPECT_EQ(faulty.world().faults().struck(), 1U);
    EXPECT_EQ(Faulty::read(*faulty.second_app), "3") << "another connection goes on";
    const std::string line = "+0.000000000  conn 1  fault at app: " + std::string(to_string(row.operation)) + ": " +
                             std::string(to_string(row.fault));
    EXPECT_THAT(transcript_lines(faulty.world().log()), Contains(line));
  }
}

TEST(Faults, StrikeEveryConnectionWhenTheyAreSticky) {
  for (const Operation operation : {Operation::read, Operation::write, Operation::close_write}) {
    Faulty faulty(operation, Fault::reset, true);
    for (net::Connection* end : {faulty.app.get(), faulty.second_app.get(), faulty.second_client.get()}) {
      EXPECT_EQ(Faulty::strike(*end, operation), kReset);
    }
    EXPECT_GE(faulty.world().faults().struck(operation, Fault::reset), 2U);
    faulty.world().faults().stop_offering();
    EXPECT_FALSE(faulty.world().faults().is_offering());
  }
}

TEST(Faults, AskNobodyWhileNoneAreOffered) {
  OneFault oracle(Operation::read, 1);
  World world(&oracle);
  world.decisions().set_recording(true);
  for (const Operation operation : {Operation::read, Operation::dial, Operation::step}) {
    EXPECT_EQ(world.faults().strike(operation), Fault::none);
  }
  EXPECT_EQ(world.decisions().asked(), 0U);
  EXPECT_EQ(world.faults().struck(), 0U);
}

TEST(Faults, StrikeTheOperationOfThatNumber) {
  OneFault oracle(Operation::read, 2, 2);
  World world(&oracle);
  world.faults().offer();
  std::vector<Fault> met;
  for (int i = 0; i < 5; ++i) met.push_back(world.faults().strike(Operation::read, 1, 1));
  EXPECT_THAT(met, ElementsAre(Fault::none, Fault::none, Fault::reset, Fault::none, Fault::none));
}

// ---- dials, accepts and look-ups -------------------------------------------------------------------------

Task<> keep(Task<Result<net::Connected>> task, std::optional<Result<net::Connected>>& result) {
  result.emplace(co_await task);
}

TEST(Faults, StrikeDialsAndLookUps) {
  struct Row {
    Operation operation;
    Fault fault;
    Errc error;
    Duration after;
  };
  for (const Row& row : {
           Row{Operation::dial, Fault::refused, Errc::connection_refused, 0s},
           Row{Operation::dial, Fault::unreachable, Errc::host_unreachable, 0s},
           Row{Operation::dial, Fault::timed_out, Errc::timed_out, 5s},
           Row{Operation::dial, Fault::cancel, Errc::operation_canceled, 0s},
           Row{Operation::resolve, Fault::host_not_found, Errc::host_not_found, 0s},
           Row{Operation::resolve, Fault::timed_out, Errc::timed_out, 5s},
       }) {
    for (const bool is_sticky : {false, true}) {
      SCOPED_TRACE(std::string(to_string(row.operation)) + ": " + std::string(to_string(row.fault)));
      OneFault oracle(row.operation, answer_for(row.operation, row.fault, is_sticky));
      World world(&oracle);
      const Address at = Address::parse("app:80").value();
      const auto listener = world.host("app").runtime().network().listen(at).value();
      world.faults().offer();
      for (const bool is_first : {true, false}) {
        const TimePoint begin = world.now();
        std::optional<Result<net::Connected>> dialed;
        Task<> task = keep(world.runtime().network().dial(at, pipette::after(begin, 5s)), dialed);
        task.start();
        if (!is_first && !is_sticky) {
          ASSERT_TRUE(dialed && *dialed);
          continue;
        }
        if (row.after > 0s) {
          world.advance_to(pipette::after(begin, row.after - 1ns));
          EXPECT_FALSE(dialed);
        }
        world.advance_to(pipette::after(begin, row.after));
        ASSERT_TRUE(dialed);
        EXPECT_EQ(dialed->error(), make_error_code(row.error));
      }
    }
  }
}

TEST(Faults, LetNobodyWaitForEverWhoHasNoDeadline) {
  for (const auto& [operation, patience] : {std::pair(Operation::dial, 127s), std::pair(Operation::resolve, 10s)}) {
    OneFault oracle(operation, answer_for(operation, Fault::timed_out));
    World world(&oracle);
    world.host("app");
    world.faults().offer();
    std::optional<Result<net::Connected>> dialed;
    Task<> task = keep(world.runtime().network().dial(Address::parse("app:80").value(), kNever), dialed);
    task.start();
    world.advance_to(TimePoint(patience - 1ns));
    EXPECT_FALSE(dialed);
    world.advance_to(TimePoint(patience));
    ASSERT_TRUE(dialed);
    EXPECT_EQ(dialed->error(), make_error_code(Errc::timed_out)) << "as a system says that has tried for long";
  }
}

TEST(Faults, StrikeAccepts) {
  struct Row {
    Fault fault;
    Errc error;
    bool drops;
  };
  for (const Row& row : {Row{Fault::too_many_open_files, Errc::too_many_open_files, false},
                         Row{Fault::too_many_open_files_in_system, Errc::too_many_open_files_in_system, false},
                         Row{Fault::connection_aborted, Errc::connection_aborted, true}}) {
    OneFault oracle(Operation::accept, answer_for(Operation::accept, row.fault));
    World world(&oracle);
    const Address at = Address::parse("app:80").value();
    const auto listener = world.host("app").runtime().network().listen(at).value();
    const auto dialed = world.dial_now(at).value();
    world.faults().offer();
    EXPECT_EQ(listener->try_accept().error(), make_error_code(row.error));
    EXPECT_EQ(listener->try_accept().has_value(), !row.drops) << "the listener goes on";
    EXPECT_EQ(Faulty::read(*dialed.connection), kReset);
  }
}

TEST(Faults, AreDescribedByTheirChoice) {
  struct Row {
    std::string_view site;
    std::uint64_t object;
    std::uint32_t ordinal;
    unsigned answer;
    std::string_view text;
  };
  for (const Row& row : {
           Row{"fault.read", 7, 1, 2, "conn 3, accepting side: the 2nd read: reset"},
           Row{"fault.write", 6, 0, 6, "conn 3, dialing side: the 1st write: reset, sticky"},
           Row{"fault.close_write", 2, 2, 3, "conn 1, dialing side: the 3rd close write: canceled"},
           Row{"fault.dial", 0, 10, 2, "the 11th dial: unreachable"},
           Row{"fault.accept", 0, 111, 1, "the 112th accept: EMFILE"},
           Row{"fault.resolve", 0, 20, 4, "the 21st look-up: timed out, sticky"},
           Row{"fault.step", 0, 101, 1, "the 102nd step: destroyed"},
           Row{"fault.call", 0, 2, 1, "the 3rd step of a call: canceled"},
           Row{"fault.read", 2, 0, 0, "conn 1, dialing side: the 1st read: nothing"},
           Row{"fault.read", 2, 0, 13, "conn 1, dialing side: the 1st read: nothing"},
           Row{"ready", 0, 0, 1, ""},
       }) {
    EXPECT_EQ(describe_fault(row.site, row.object, row.ordinal, row.answer), row.text);
  }
}

}  // namespace
}  // namespace pipette::inmem
