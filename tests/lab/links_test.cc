// The lab's links under HTTP: what a slow, cut or broken network does to whole requests, and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipette/lab/lab.h"
#include "pipette/lab/oracles.h"
#include "pipette/lab/triggers.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using net::Toxics;
using testing::ElementsAre;
using testing::HasSubstr;

class LabLinksTest : public testing::Test {
 protected:
  LabLinksTest() { lab_.serve(server_, "app:80"); }
  std::error_code error_of(const std::string& url) {
    try {
      (void)lab_.get(url);
    } catch (const CallFailed& failed) {
      return failed.code();
    }
    return {};
  }

  std::vector<std::string> served_;
  const Server server_{[this](RequestCtx& ctx) {
    served_.emplace_back(ctx.path());
    ctx.set_body("Hello");
  }};
  Lab lab_;
};

TEST_F(LabLinksTest, TakeTheirTimeForTheHandshakeAndForEachWay) {
  const auto there = lab_.link("client", "app").add(Toxics().with_latency(30ms));
  const auto back = lab_.link("app", "client").add(Toxics().with_latency(20ms));
  EXPECT_EQ(lab_.get("http://app/").body, "Hello");
  EXPECT_EQ(lab_.elapsed(), 100ms) << "there and back to connect, there and back to ask";
  EXPECT_EQ(lab_.get("http://app/").body, "Hello");
  EXPECT_EQ(lab_.elapsed(), 150ms) << "over the same connection";
}

TEST_F(LabLinksTest, TellARunThatLeavesItsRecordOutOfWhateverDrivesIt) {
  StrictReplay oracle{Record()};
  Lab lab({.oracle = &oracle});
  lab.serve(server_, "app:80");
  Peer peer = lab.connect("app:80");
  const auto jittering = lab.link("client", "app").add(Toxics().with_latency(1s, 1s));
  EXPECT_THROW(
      {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        lab.advance(10s);
      },
      Diverged);
}

TEST_F(LabLinksTest, ResetExactlyTheThirdRequestAfter41Octets) {
  const auto cut = lab_.link("client", "app").add(Toxics().with_reset_peer(), [] {
    return std::make_unique<OnMessage>(on_request(3).after_bytes(41));
  });
  Peer struck = lab_.connect("app:80");
  Peer other = lab_.connect("app:80");
  const std::string request = "GET /" + std::string(60, 'x') + " HTTP/1.1\r\nHost: app\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    struck.send(request);
    (void)struck.expect_response(200);
  }
  struck.send(request.substr(0, 41));
  struck.expect_nothing();
  EXPECT_FALSE(struck.was_reset()) << "41 octets pass";
  struck.send(request.substr(41, 1));
  EXPECT_TRUE(struck.was_reset());
  other.send(request);
  (void)other.expect_response(200);
  EXPECT_EQ(served_.size(), 3U);
}

TEST_F(LabLinksTest, PartTwoHostsUntilTheGuardDies) {
  EXPECT_EQ(lab_.get("http://app/before").body, "Hello");
  {
    const Lab::Partition partition = lab_.partition("client", "app");
    EXPECT_EQ(error_of("http://app/during"), Errc::timed_out);
    EXPECT_EQ(lab_.elapsed(), 30s);
  }
  EXPECT_EQ(lab_.get("http://app/after").body, "Hello");
  EXPECT_EQ(served_.back(), "/after");
}

TEST_F(LabLinksTest, PartTwoHostsOnlyFromEachOther) {
  lab_.serve(server_, "elsewhere:80");
  const Lab::Partition partition = lab_.partition("client", "app");
  EXPECT_EQ(lab_.get("http://elsewhere/").body, "Hello");
}

TEST_F(LabLinksTest, RefuseWhoeverDials) {
  const auto refusal = lab_.link("client", "app").refuse(Errc::host_unreachable);
  EXPECT_EQ(error_of("http://app/"), Errc::host_unreachable);
}

TEST_F(LabLinksTest, AreAnsweredForByTheResolver) {
  lab_.world().network().set_answer("www", {.addresses = {lab_.host("app").address()}, .delay = 2s});
  EXPECT_EQ(lab_.get("http://www/").body, "Hello");
  EXPECT_EQ(lab_.elapsed(), 2s);
}

TEST_F(LabLinksTest, AreHealedToSeeWhetherAllEnds) {
  const auto hole = lab_.link("app", "client").add(Toxics().with_stall());
  lab_.spawn([](Lab& lab) -> Task<> { (void)co_await lab.client().get("http://app/"); }(lab_));
  lab_.advance(1s);
  lab_.expect_liveness();
  EXPECT_EQ(served_.size(), 1U);
}

}  // namespace
}  // namespace pipette::lab
