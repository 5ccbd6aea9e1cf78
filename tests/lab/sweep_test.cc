// Sweeps: each fault strikes at each place, each octet is cut behind, and what goes wrong is found where it is.
#include "pipette/lab/sweep.h"

#include <array>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pipette/lab/explore.h"
#include "pipette/lab/gtest.h"
#include "pipette/net/close.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using inmem::Fault;
using inmem::Operation;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void echo(RequestCtx& ctx) { ctx.set_body(ctx.body().empty() ? Bytes("nothing") : ctx.body()); }

// A client that gets and posts, ten times, the last time on a connection that closes.
void exchange_ten_times(Lab& lab) {
  for (int i = 0; i < 9; ++i) {
    const bool posts = i % 3 == 1;
    const Result<client::Response> page =
        lab.run(posts ? lab.client().post("http://app/", "text/plain", "Ada") : lab.client().get("http://app/"));
    if (page) {
      EXPECT_EQ(page->body, posts ? "Ada" : "nothing");
    }
  }
  client::Request last;
  last.url = "http://app/";
  ASSERT_TRUE(last.fields.set("Connection", "close"));
  EXPECT_EQ(lab.call(last).body, "nothing") << "an error ends the body, and is no failure";
}

const FaultSweep::Row* find(const FaultSweep& sweep, Operation operation, Fault fault) {
  for (const FaultSweep::Row& row : sweep.rows) {
    if (row.operation == operation && row.fault == fault) return &row;
  }
  return nullptr;
}

// ---- faults ----------------------------------------------------------------------------------------------

TEST(ForAllFaults, EachStrikesTheServerAndTheClientAndNothingBreaks) {
  const Server server(echo, quiet());
  const FaultSweep sweep = for_all_faults([&](Lab& lab) {
    lab.serve(server, "app:80");
    exchange_ten_times(lab);
  });
  std::uint64_t worlds = 1;
  for (const Operation operation : {Operation::read, Operation::write, Operation::close_write, Operation::dial,
                                    Operation::accept, Operation::resolve, Operation::step, Operation::call}) {
    for (const Fault fault : inmem::faults_of(operation)) {
      SCOPED_TRACE(std::string(to_string(operation)) + ", " + std::string(to_string(fault)));
      const FaultSweep::Row* const row = find(sweep, operation, fault);
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(row->struck, row->worlds);
      EXPECT_GT(row->worlds, 0U);
      worlds += row->worlds;
    }
  }
  EXPECT_EQ(sweep.worlds, worlds);
  EXPECT_FALSE(sweep.is_cut);
  EXPECT_THAT(sweep.summary(), AllOf(HasSubstr("no failure\n"), Not(HasSubstr("warning"))));
  // An operation has each of its faults twice, once and sticky.
  EXPECT_EQ(find(sweep, Operation::dial, Fault::refused)->worlds, 2U);
  EXPECT_EQ(find(sweep, Operation::resolve, Fault::timed_out)->worlds, 2U);
  EXPECT_GE(find(sweep, Operation::read, Fault::reset)->worlds, 2 * 2 * 10U) << "both sides read at least ten times";
  EXPECT_GE(find(sweep, Operation::write, Fault::reset)->worlds, 2 * 2 * 10U);
}

Result<net::Connected> dial(Lab& lab) {
  return lab.run(lab.runtime().network().dial(*net::Address::parse("app:80"), after(lab.now(), 30s)));
}

// One client, one message, no answer: few enough places to count.
void send_and_close(Lab& lab) {
  const auto listener = lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80"));
  const Result<net::Connected> dialed = dial(lab);
  if (!dialed) return;
  const Bytes message = "hello";
  (void)dialed->connection->try_write({&message, 1});
  (void)dialed->connection->try_close_write();
}

SweepOptions without_steps() {
  SweepOptions options;
  options.steps = false;
  return options;
}

TEST(ForAllFaults, CountsPlacesAndWorlds) {
  const FaultSweep sweep = for_all_faults(without_steps(), send_and_close);
  EXPECT_EQ(sweep.points, 4U) << "a look-up, a dial, a write, a close";
  EXPECT_EQ(sweep.worlds, 1 + 2U * (2 + 4 + 5 + 3));
  EXPECT_THAT(sweep.summary(), StartsWith("4 points, 29 worlds: no failure\n"
                                          "  look-up, host not found: struck in 2 of 2 worlds\n"
                                          "  look-up, timed out: struck in 2 of 2 worlds\n"
                                          "  dial, refused: struck in 2 of 2 worlds\n"));
}

TEST(ForAllFaults, EndsWhenItsWorldsAreSpent) {
  SweepOptions options;
  options.max_worlds = 10;
  const FaultSweep sweep = for_all_faults(options, send_and_close);
  EXPECT_EQ(sweep.worlds, 10U);
  EXPECT_TRUE(sweep.is_cut);
  EXPECT_THAT(sweep.summary(), HasSubstr("warning: max_worlds was not enough for all of them\n"));
}

TEST(ForAllFaults, WarnsOfAFaultThatNeverStruck) {
  int calls = 0;
  const FaultSweep sweep = for_all_faults([&](Lab& lab) {
    if (++calls == 1) send_and_close(lab);  // so that no world but the clean one comes to any operation
  });
  const FaultSweep::Row* const row = find(sweep, Operation::dial, Fault::refused);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->struck, 0U);
  EXPECT_THAT(sweep.summary(), HasSubstr("  dial, refused: struck in 0 of 2 worlds\n"
                                         "  warning: it was set and never struck\n"));
}

TEST(ForAllFaults, TriesPairs) {
  const auto needs_two = [](Lab& lab) {
    send_and_close(lab);
    if (lab.world().faults().struck() == 2) throw std::runtime_error("two at once");
  };
  ExceptionProbe probe;
  EXPECT_FALSE(for_all_faults(without_steps(), needs_two, probe).finding);
  SweepOptions options = without_steps();
  options.pairs = 200;
  const FaultSweep sweep = for_all_faults(options, needs_two, probe);
  ASSERT_TRUE(sweep.finding);
  EXPECT_THAT(sweep.finding->report,
              AllOf(StartsWith("pair "), HasSubstr(" of the sweep fails, and needs 2 choices:\n")));
  EXPECT_EQ(sweep.finding->failure, "threw: two at once");
}

// ---- steps -----------------------------------------------------------------------------------------------

TEST(ForAllFaults, CancelsTheCallAndDestroysTheTestAtEachStep) {
  const Server server(echo, quiet());
  int begun = 0;
  int ended = 0;
  const FaultSweep sweep = for_all_faults([&](Lab& lab) {
    lab.serve(server, "app:80");
    ++begun;
    const std::string body = lab.get("http://app/").body;
    EXPECT_EQ(body, "nothing");
    ++ended;
  });
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, begun);
  const std::uint64_t steps = find(sweep, Operation::step, Fault::destroy)->worlds;
  EXPECT_GE(steps, 5U);
  const std::uint64_t canceled = find(sweep, Operation::call, Fault::cancel)->worlds;
  EXPECT_GE(canceled, 4U);
  EXPECT_LT(canceled, steps) << "where no call is under way, there is none to cancel";
}

TEST(ForAllFaults, LeavesStepsAloneWhenTold) {
  const Server server(echo, quiet());
  const FaultSweep sweep = for_all_faults(without_steps(), [&](Lab& lab) {
    lab.serve(server, "app:80");
    (void)lab.get("http://app/");
  });
  EXPECT_EQ(find(sweep, Operation::step, Fault::destroy), nullptr);
  EXPECT_EQ(find(sweep, Operation::call, Fault::cancel), nullptr);
  EXPECT_NE(find(sweep, Operation::read, Fault::reset), nullptr);
}

// ---- findings --------------------------------------------------------------------------------------------

// Takes it for granted that what was dialed is there.
void take_for_granted(Lab& lab) {
  const auto listener = lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80"));
  if (!dial(lab)) throw std::logic_error("nobody there");
}

constexpr std::string_view kReport = R"(world 2 of the sweep fails, and needs 1 choice:
  the 1st look-up: host not found
what the test said:
  threw: nobody there
what happened, the last first:
  +0.000000000  refused: client 10.0.0.1:0 -> app:80: no address for that name
  +0.000000000  fault: look-up: host not found
  +0.000000000  listening on app:80
reproduce: PIPETTE_REPLAY='fault.resolve/0/0=1'
)";

TEST(ForAllFaults, TellsTheFaultThatBreaksATest) {
  ExceptionProbe probe;
  const FaultSweep sweep = for_all_faults({}, take_for_granted, probe);
  ASSERT_TRUE(sweep.finding);
  EXPECT_EQ(sweep.finding->report, kReport);
  EXPECT_EQ(sweep.worlds, 2U);
  EXPECT_NONFATAL_FAILURE(for_all_faults(take_for_granted), "the 1st look-up: host not found");
}

TEST(ForAllFaults, ReplaysTheWorldThatTheEnvironmentAsksFor) {
  setenv("PIPETTE_REPLAY", "fault.dial/0/0=1", 1);
  ExceptionProbe probe;
  const FaultSweep sweep = for_all_faults({}, take_for_granted, probe);
  unsetenv("PIPETTE_REPLAY");
  EXPECT_EQ(sweep.worlds, 1U);
  EXPECT_THAT(sweep.finding->report, StartsWith("the world of PIPETTE_REPLAY fails, and needs 1 choice:\n"));
}

TEST(ForAllFaults, TellsATestThatFailsWithNoFault) {
  ExceptionProbe probe;
  const auto throw_always = [](Lab&) { throw std::system_error(make_error_code(Errc::connection_refused), "always"); };
  const FaultSweep sweep = for_all_faults({}, throw_always, probe);
  EXPECT_EQ(sweep.worlds, 1U);
  EXPECT_EQ(sweep.finding->report,
            "the clean run, with no fault, fails, and needs nothing out of the ordinary\nwhat the test said:\n"
            "  threw: always: nobody listens at that address\nreproduce: PIPETTE_REPLAY=''\n");
}

// A wait without a deadline hangs when what it waits for never comes.
TEST(ForAllFaults, FindsAHang) {
  const auto wait_for_ever = [](Lab& lab) {
    const auto listener = lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80"));
    const auto talk = [](Lab& owner, net::Listener& listening) -> Task<> {
      const Result<net::Connected> dialed = owner.world().dial_now(*net::Address::parse("app:80"));
      if (!dialed) co_return;
      const Result<net::Connected> accepted = co_await listening.accept();
      if (!accepted) co_return;
      const Bytes octet = "x";
      (void)accepted->connection->try_write({&octet, 1});
      std::array<char, 1> room;
      (void)co_await dialed->connection->read_some(room);
    };
    lab.run(talk(lab, **listener));
  };
  ExceptionProbe probe;
  const FaultSweep sweep = for_all_faults({}, wait_for_ever, probe);
  ASSERT_TRUE(sweep.finding);
  EXPECT_THAT(sweep.finding->report,
              AllOf(HasSubstr("conn 1, accepting side: the 1st write: timed out\n"),
                    HasSubstr("nobody can make progress"), HasSubstr("conn 1: client waits to read")));
}

// ---- splits ----------------------------------------------------------------------------------------------

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// A server that looks for the end of a head in what has just come, and forgets what came before.
Task<> answer_badly(net::Listener& listener) {
  Result<net::Connected> accepted = co_await listener.accept();
  if (!accepted) co_return;
  net::Connection& connection = *accepted->connection;
  for (;;) {
    std::array<char, 1000> room;
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count || *count == 0) co_return;
    if (Bytes(room.data(), *count).find("\r\n\r\n") != Bytes::npos) break;
  }
  const std::array<Bytes, 1> answer = {"HTTP/1.1 204 No Content\r\n\r\n"};
  (void)co_await connection.write(answer);
  (void)co_await net::close(connection, kNever);
}

void ask_bad_server(Lab& lab) {
  const auto listener = lab.runtime_of(*net::Address::parse("bad:80")).network().listen(*net::Address::parse("bad:80"));
  lab.spawn(answer_badly(**listener));
  Peer peer = lab.connect("bad:80");
  peer.send(kGet);
  peer.close_write();
  if (peer.received().empty()) throw std::runtime_error("no answer");
}

TEST(ForEachSplit, FindsTheOctetBehindWhichAServerLosesItsWay) {
  ExceptionProbe probe;
  const SplitSweep sweep = for_each_split(ask_bad_server, probe);
  ASSERT_TRUE(sweep.finding);
  EXPECT_THAT(sweep.finding->report, AllOf(StartsWith("world 25 of the sweep fails, and needs 1 choice:\n"
                                                      "  what the dialing side sends is cut behind octet 24\n"
                                                      "what the test said:\n  threw: no answer\n"),
                                           HasSubstr("reproduce: PIPETTE_REPLAY='cut.dialing side/24/0=1'\n")));
  EXPECT_EQ(sweep.worlds, 25U);
  EXPECT_EQ(sweep.places, 24U);
  EXPECT_EQ(sweep.summary(), "24 places, 25 worlds: a failure");
  EXPECT_NONFATAL_FAILURE(for_each_split(ask_bad_server), "is cut behind octet 24");
}

TEST(ForEachSplit, CanBeReplayed) {
  EXPECT_NONFATAL_FAILURE(replay("cut.dialing side/24/0=1", ask_bad_server), "no answer");
  EXPECT_NONFATAL_FAILURE(replay("cut.every octet/0/0=1", ask_bad_server), "reads of one octet each");
  replay("cut.dialing side/23/0=1", ask_bad_server);
  setenv("PIPETTE_REPLAY", "cut.dialing side/24/0=1", 1);
  ExceptionProbe probe;
  const SplitSweep sweep = for_each_split(ask_bad_server, probe);
  unsetenv("PIPETTE_REPLAY");
  EXPECT_EQ(sweep.worlds, 1U);
  ASSERT_TRUE(sweep.finding);
}

TEST(ForEachSplit, TellsATestThatFailsUncut) {
  ExceptionProbe probe;
  const SplitSweep sweep = for_each_split([](Lab&) { throw std::runtime_error("always"); }, probe);
  EXPECT_EQ(sweep.worlds, 1U);
  EXPECT_THAT(sweep.finding->report, StartsWith("the run that cuts nothing fails, and needs nothing out of the"));
}

struct Conversation {
  std::string_view name;
  std::string_view requests;
  std::string_view bodies;  // of the responses, one after the other
  int responses;
};

constexpr std::array kConversations = {
    Conversation{"get", kGet, "nothing", 1},
    Conversation{"chunked post",
                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3;x=y\r\nAda\r\n9\r\n Lovelace\r\n0\r\nT: x\r\n\r\n",
                 "Ada Lovelace", 1},
    Conversation{"pipelining",
                 "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nAda"
                 "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                 "nothingAdanothing", 3},
};

TEST(ForEachSplit, TheServerNeverNotices) {
  const Server server(echo, quiet());
  for (const Conversation& conversation : kConversations) {
    SCOPED_TRACE(conversation.name);
    const SplitSweep sweep = for_each_split([&](Lab& lab) {
      lab.serve(server, "app:80");
      Peer peer = lab.connect("app:80");
      peer.send(conversation.requests);
      std::string bodies;
      for (int i = 0; i < conversation.responses; ++i) bodies += peer.read_response().body;
      EXPECT_EQ(bodies, conversation.bodies);
      peer.close_write();
      peer.expect_closed();
    });
    EXPECT_GT(sweep.places, conversation.requests.size()) << "and the responses'";
    EXPECT_EQ(sweep.worlds, sweep.places + 2);
  }
}

TEST(ForEachSplit, TheClientNeverNotices) {
  const Server server(echo, quiet());
  const SplitSweep sweep = for_each_split([&](Lab& lab) {
    lab.serve(server, "app:80");
    EXPECT_EQ(lab.get("http://app/").body, "nothing");
    EXPECT_EQ(lab.post("http://app/", "text/plain", "Ada").body, "Ada");
    EXPECT_EQ(lab.log().connections(), 1U);
  });
  EXPECT_GT(sweep.places, 100U);
}

}  // namespace
}  // namespace pipette::lab
