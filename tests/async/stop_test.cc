#include "pipette/async/stop.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>

#include "pipette/inmem/loop.h"

#include "tests/support/lone_loop.h"

namespace pipette::async {
namespace {

constexpr StopReason kReasons[] = {StopReason::handler_timeout, StopReason::peer_finished, StopReason::peer_reset,
                                   StopReason::shutdown,        StopReason::evicted,       StopReason::canceled};

class StopTest : public ::testing::Test {
 protected:
  struct Waiter final : Runnable {
    Waiter(std::string& to, char c) : log(to), name(c) {}
    void run() override { log += name; }
    std::string& log;
    char name;
  };

  test::LoneLoop lone;
  inmem::Loop& loop = *lone;
  std::string log;
  Waiter a{log, 'a'}, b{log, 'b'}, c{log, 'c'};
};

TEST_F(StopTest, ATokenWithoutASourceNeverStops) {
  const StopToken token;
  EXPECT_FALSE(token.stop_possible());
  EXPECT_FALSE(token.stop_requested());
  EXPECT_EQ(token.reason(), StopReason::none);
  token.add(a);
  lone.settle();
  EXPECT_EQ(log, "");
}

TEST_F(StopTest, TokensSeeTheReason) {
  for (const StopReason reason : kReasons) {
    StopSource source(loop);
    const StopToken token = source.token();
    EXPECT_TRUE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    source.request_stop(reason);
    EXPECT_TRUE(token.stop_requested());
    EXPECT_EQ(token.reason(), reason);
    EXPECT_EQ(source.reason(), reason);
  }
}

TEST_F(StopTest, TheFirstReasonStays) {
  StopSource source(loop);
  source.request_stop(StopReason::peer_reset);
  source.request_stop(StopReason::shutdown);
  EXPECT_EQ(source.reason(), StopReason::peer_reset);
}

TEST_F(StopTest, RequestingOnlyEnqueuesTheWaiters) {
  StopSource source(loop);
  source.token().add(b);
  source.token().add(a);
  source.request_stop(StopReason::shutdown);
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "ba");
}

TEST_F(StopTest, WakesEachWaiterOnce) {
  StopSource source(loop);
  source.token().add(a);
  source.request_stop(StopReason::shutdown);
  source.request_stop(StopReason::shutdown);
  lone.settle();
  EXPECT_EQ(log, "a");
}

TEST_F(StopTest, AWaiterThatComesTooLateIsEnqueuedAtOnce) {
  StopSource source(loop);
  source.request_stop(StopReason::shutdown);
  source.token().add(a);
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "a");
}

TEST_F(StopTest, AWaiterThatDiesIsForgotten) {
  StopSource source(loop);
  auto before = std::make_unique<Waiter>(log, 'x');
  auto between = std::make_unique<Waiter>(log, 'y');
  source.token().add(*before);
  source.token().add(a);
  source.token().add(*between);
  before.reset();
  source.request_stop(StopReason::shutdown);
  between.reset();
  lone.settle();
  EXPECT_EQ(log, "a");
}

TEST_F(StopTest, ASourceThatDiesWakesNobody) {
  {
    StopSource source(loop);
    source.token().add(a);
  }
  EXPECT_FALSE(a.is_linked());
  lone.settle();
  EXPECT_EQ(log, "");
}

TEST_F(StopTest, ChildrenStopWithTheirParentsReason) {
  StopSource parent(loop);
  StopSource child(loop, parent.token());
  StopSource grandchild(loop, child.token());
  parent.request_stop(StopReason::evicted);
  EXPECT_EQ(child.reason(), StopReason::evicted);
  EXPECT_EQ(grandchild.reason(), StopReason::evicted);
}

TEST_F(StopTest, AParentDoesNotStopWithItsChild) {
  StopSource parent(loop);
  StopSource child(loop, parent.token());
  child.request_stop(StopReason::canceled);
  EXPECT_FALSE(parent.stop_requested());
  parent.request_stop(StopReason::shutdown);
  EXPECT_EQ(child.reason(), StopReason::canceled);
}

TEST_F(StopTest, ChildrensWaitersComeFirstInTheOrderTheChildrenWereMade) {
  StopSource parent(loop);
  StopSource first(loop, parent.token());
  StopSource second(loop, parent.token());
  parent.token().add(c);
  second.token().add(b);
  first.token().add(a);
  parent.request_stop(StopReason::shutdown);
  lone.settle();
  EXPECT_EQ(log, "abc");
}

TEST_F(StopTest, AChildOfAStoppedParentIsStoppedFromTheStart) {
  StopSource parent(loop);
  parent.request_stop(StopReason::shutdown);
  StopSource child(loop, parent.token());
  EXPECT_EQ(child.reason(), StopReason::shutdown);
}

TEST_F(StopTest, AChildOfATokenWithoutASourceStandsAlone) {
  StopSource child(loop, StopToken());
  EXPECT_FALSE(child.stop_requested());
  child.request_stop(StopReason::canceled);
  EXPECT_EQ(child.reason(), StopReason::canceled);
}

TEST_F(StopTest, AChildThatDiesIsForgotten) {
  StopSource parent(loop);
  auto child = std::make_unique<StopSource>(loop, parent.token());
  child->token().add(a);
  child.reset();
  parent.request_stop(StopReason::shutdown);
  lone.settle();
  EXPECT_EQ(log, "");
}

TEST_F(StopTest, AChildMayOutliveItsParent) {
  auto parent = std::make_unique<StopSource>(loop);
  StopSource child(loop, parent->token());
  parent.reset();
  EXPECT_FALSE(child.stop_requested());
}

TEST_F(StopTest, ResetMakesItAsNewAndKeepsWhoWaits) {
  StopSource source(loop);
  StopSource child(loop, source.token());
  source.request_stop(StopReason::shutdown);
  source.reset();
  child.reset();
  EXPECT_FALSE(source.stop_requested());
  source.token().add(a);
  child.token().add(b);
  source.reset();
  source.request_stop(StopReason::peer_reset);
  lone.settle();
  EXPECT_EQ(log, "ba");
  EXPECT_EQ(child.reason(), StopReason::peer_reset);
}

TEST_F(StopTest, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names = {to_string(StopReason::none)};
  for (const StopReason reason : kReasons) EXPECT_TRUE(names.insert(to_string(reason)).second) << to_string(reason);
}

}  // namespace
}  // namespace pipette::async
