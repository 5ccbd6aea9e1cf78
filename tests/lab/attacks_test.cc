// A server under attack: every default limit holds, and whoever means well is served meanwhile.
#include "pipette/lab/attacks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A server that does not mind how slowly a client takes its answers.
ServerOptions patient() {
  ServerOptions options;
  options.write_min_rate = 0;
  return options;
}

// A server with default options, and somebody who asks it for something each second.
class AttackTest : public testing::Test {
 protected:
  AttackTest() : worker_(lab_.serve(server_, "app:80")), tasks_(lab_.world().loop()) { tasks_.spawn(be_good()); }

  Task<> be_good() {
    for (;;) {
      const TimePoint begin = lab_.now();
      const Result<client::Response> response = co_await lab_.client().get("http://app/good");
      EXPECT_TRUE(response && response->status == 200);
      EXPECT_EQ(lab_.now(), begin) << "nobody waits because of an attack";
      ++served_;
      co_await async::sleep_until(lab_.world().loop(), after(lab_.now(), 1s));
    }
  }

  // That a good client was served each second, and that nothing of the attack is left.
  void expect_good_health(const attack::Report& report) {
    lab_.advance(10s);
    const auto seconds = static_cast<std::size_t>((report.took + 10s) / 1s);
    EXPECT_GE(served_ + 1, seconds);
    EXPECT_EQ(worker_.open_connections(), 1U) << "the good client's";
    EXPECT_EQ(report.malformed, 0U);
    EXPECT_EQ(report.refused, 0U);
  }

  const Server server_{[](RequestCtx& ctx) { ctx.set_body("Hello"); }};
  Lab lab_;
  server::Worker& worker_;
  std::size_t served_ = 0;
  async::TaskGroup tasks_;
};

TEST_F(AttackTest, SlowlorisIsCutAtTheDeadlineOfTheHead) {
  const attack::Report report = attack::slowloris(lab_, "app:80", {.connections = 300});
  EXPECT_EQ(report.connections, 300U);
  EXPECT_EQ(report.cut, 300U);
  EXPECT_EQ(report.reset, 0U);
  EXPECT_EQ(report.earliest_cut, 10s);
  EXPECT_EQ(report.latest_cut, 10s);
  EXPECT_EQ(report.took, 10s);
  EXPECT_THAT(report.answered, ElementsAre(Pair(408, 300U)));
  EXPECT_GE(report.bytes_sent, 300U * 10);
  EXPECT_LE(report.bytes_sent, 300U * 11);
  EXPECT_GT(report.bytes_received, 0U);
  expect_good_health(report);
}

TEST_F(AttackTest, SlowBodyIsCutAsSoonAsItsRateCounts) {
  for (const bool is_chunked : {false, true}) {
    const attack::Report report = attack::slow_body(lab_, "app:80", {.connections = 20, .is_chunked = is_chunked});
    EXPECT_EQ(report.cut, 20U);
    EXPECT_EQ(report.earliest_cut, 5s) << "too few octets a second";
    EXPECT_EQ(report.latest_cut, 5s);
    EXPECT_THAT(report.answered, ElementsAre(Pair(408, 20U)));
    expect_good_health(report);
  }
}

TEST_F(AttackTest, SlowReadIsCutAsSoonAsItsRateCounts) {
  const attack::Report report = attack::slow_read(lab_, "app:80", {.connections = 3});
  EXPECT_EQ(report.cut, 3U);
  EXPECT_GT(report.earliest_cut, 5s) << "what the network took at once is to its credit";
  EXPECT_LT(report.latest_cut, 60s);
}

TEST_F(AttackTest, SlowReadIsCutAtTheDeadlineOfAWrite) {
  lab_.serve([](RequestCtx& ctx) { ctx.set_body("Hello"); }, "patient:80", patient());
  const attack::Report report = attack::slow_read(lab_, "patient:80", {.connections = 3});
  EXPECT_EQ(report.cut, 3U);
  EXPECT_EQ(report.reset, 3U);
  EXPECT_EQ(report.earliest_cut, 60s);
  EXPECT_EQ(report.latest_cut, 60s);
  EXPECT_THAT(report.answered, IsEmpty());
  EXPECT_EQ(report.bytes_received, 0U);
  expect_good_health(report);
}

TEST_F(AttackTest, ReadingADripDoesNotMoveTheDeadlineOfAWrite) {
  lab_.serve([](RequestCtx& ctx) { ctx.set_body("Hello"); }, "patient:80", patient());
  const attack::Report report = attack::slow_read(lab_, "patient:80", {.connections = 3, .interval = 1s});
  EXPECT_EQ(report.cut, 3U);
  EXPECT_EQ(report.latest_cut, 60s);
  EXPECT_LE(report.bytes_received, 3U * 61);
  expect_good_health(report);
}

TEST_F(AttackTest, APipeliningFloodIsServedInOrderAndNobodyStarves) {
  const attack::Report report = attack::pipelining_flood(lab_, "app:80", {.connections = 3, .requests = 2000});
  EXPECT_THAT(report.answered, ElementsAre(Pair(200, 6000U)));
  EXPECT_EQ(report.cut, 3U);
  EXPECT_EQ(report.took, 0s);
  expect_good_health(report);
}

TEST_F(AttackTest, AHeaderBombIsRefused) {
  for (const std::size_t field_bytes : {32U, 1000U, 15'000U, 100'000U}) {
    const attack::Report report = attack::header_bomb(lab_, "app:80", {.connections = 3, .field_bytes = field_bytes});
    EXPECT_THAT(report.answered, ElementsAre(Pair(431, 3U))) << field_bytes;
    EXPECT_EQ(report.cut, 3U) << field_bytes;
    EXPECT_EQ(report.latest_cut, 0s) << field_bytes;
    expect_good_health(report);
  }
}

TEST_F(AttackTest, AChunkExtensionFloodIsRefused) {
  for (const std::size_t extension_bytes : {30U, 1000U, 100'000U}) {
    const attack::Report report =
        attack::chunk_extension_flood(lab_, "app:80", {.connections = 3, .extension_bytes = extension_bytes});
    EXPECT_THAT(report.answered, ElementsAre(Pair(400, 3U))) << extension_bytes;
    EXPECT_EQ(report.cut, 3U) << extension_bytes;
    EXPECT_EQ(report.latest_cut, 0s) << extension_bytes;
    expect_good_health(report);
  }
}

TEST_F(AttackTest, AConnectionFloodIsServedAndThenCutForIdling) {
  const attack::Report report = attack::connection_flood(lab_, "app:80", {.connections = 500});
  EXPECT_EQ(report.connections, 500U);
  EXPECT_THAT(report.answered, ElementsAre(Pair(200, 500U)));
  EXPECT_EQ(report.cut, 500U);
  EXPECT_EQ(report.earliest_cut, 75s);
  EXPECT_EQ(report.latest_cut, 75s);
  expect_good_health(report);
}

TEST_F(AttackTest, HalfOpenConnectionsAreCutAtTheDeadlineOfTheHead) {
  const attack::Report report = attack::half_open(lab_, "app:80", {.connections = 300});
  EXPECT_EQ(report.cut, 300U);
  EXPECT_EQ(report.earliest_cut, 10s);
  EXPECT_EQ(report.latest_cut, 10s);
  EXPECT_THAT(report.answered, IsEmpty()) << "nothing was asked";
  EXPECT_EQ(report.bytes_sent, 0U);
  expect_good_health(report);
}

TEST(Attack, IsCutAtOnceAboveTheMostConnectionsAServerHolds) {
  ServerOptions options;
  options.concurrency = 40;
  const Server server([](RequestCtx&) {}, options);
  Lab lab;
  lab.serve(server, "app:80");
  const attack::Report report = attack::connection_flood(lab, "app:80", {.connections = 100, .give_up = 1s});
  EXPECT_THAT(report.answered, ElementsAre(Pair(200, 40U), Pair(503, 60U)));
  EXPECT_EQ(report.cut, 60U);
  EXPECT_EQ(report.latest_cut, 0s);
  EXPECT_EQ(report.took, 1s);
}

TEST(Attack, GivesUp) {
  Lab lab;
  const ScriptedServer silent(lab, "app:80");
  const attack::Report report = attack::half_open(lab, "app:80", {.connections = 3, .give_up = 1h});
  EXPECT_EQ(report.connections, 3U);
  EXPECT_EQ(report.cut, 0U);
  EXPECT_EQ(report.took, 1h);
  EXPECT_EQ(silent.left(), 3U) << "and leaves nothing behind";
}

TEST(Attack, CountsWhatIsRefusedAndWhatMakesNoSense) {
  Lab lab;
  EXPECT_EQ(attack::half_open(lab, "nowhere:80", {.connections = 3}).refused, 3U);
  EXPECT_THROW(attack::half_open(lab, "no address"), std::system_error);
  ScriptedServer server(lab, "app:80");
  server.on("GET *", "no response\r\n\r\n");
  const attack::Report report = attack::connection_flood(lab, "app:80", {.connections = 3, .give_up = 1s});
  EXPECT_EQ(report.malformed, 3U);
  EXPECT_THAT(report.answered, IsEmpty());
}

}  // namespace
}  // namespace pipette::lab
