#include "pipette/server/user_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using test::answer_of;
using test::get;
using test::Serving;
using testing::ElementsAre;

// Notes its name when it dies; copies count as one.
std::shared_ptr<void> mourned(std::vector<std::string>& dead, std::string name) {
  return {nullptr, [&dead, name = std::move(name)](void*) { dead.push_back(name); }};
}

std::vector<std::string> keys_of(UserValues& values) {
  std::vector<std::string> keys;
  values.for_each([&](std::string_view key, std::any&) { keys.emplace_back(key); });
  return keys;
}

TEST(UserValues, AreFoundUnderTheirKeyAndTheirType) {
  answer_of([](RequestCtx& ctx) {
    EXPECT_EQ(ctx.user_value<int>("n"), nullptr);
    ctx.set_user_value("n", 1);
    ctx.set_user_value("text", std::string("long enough to need memory of its own, which it has"));
    ctx.set_user_value("", true);
    ASSERT_NE(ctx.user_value<int>("n"), nullptr);
    EXPECT_EQ(*ctx.user_value<int>("n"), 1);
    EXPECT_EQ(ctx.user_value<long>("n"), nullptr);
    EXPECT_EQ(ctx.user_value<int>("N"), nullptr);
    EXPECT_EQ(*ctx.user_value<bool>(""), true);
    *ctx.user_value<int>("n") += 1;
    EXPECT_EQ(*ctx.user_value<int>("n"), 2);
    EXPECT_TRUE(ctx.user_value<std::string>("text")->starts_with("long"));
  });
}

TEST(UserValues, AreReplacedAndRemoved) {
  std::vector<std::string> dead;
  answer_of([&](RequestCtx& ctx) {
    EXPECT_FALSE(ctx.remove_user_value("a")) << "there is nothing at all";
    for (const char* key : {"a", "b", "c"}) ctx.set_user_value(key, mourned(dead, key));
    ctx.set_user_value("a", 1);
    EXPECT_THAT(dead, ElementsAre("a"));
    EXPECT_THAT(keys_of(ctx.user_values()), ElementsAre("a", "b", "c")) << "in their places";
    EXPECT_TRUE(ctx.remove_user_value("b"));
    EXPECT_FALSE(ctx.remove_user_value("b"));
    EXPECT_THAT(dead, ElementsAre("a", "b"));
    EXPECT_THAT(keys_of(ctx.user_values()), ElementsAre("a", "c"));
  });
}

TEST(UserValues, StandStillWhileOthersComeAndGo) {
  UserValues values;
  values.set("first", 1);
  const std::any* const first = values.find("first");
  for (int i = 0; i < 100; ++i) values.set(std::to_string(i), i);
  for (int i = 0; i < 100; i += 2) values.remove(std::to_string(i));
  EXPECT_EQ(values.find("first"), first);
}

TEST(UserValues, DieWithTheirExchangeTheLastOneFirst) {
  std::vector<std::string> dead;
  std::vector<std::string> dead_before_second;
  Serving app([&](RequestCtx& ctx) {
    if (ctx.path() == "/2") {
      dead_before_second = dead;
      EXPECT_EQ(ctx.user_value<std::shared_ptr<void>>("a"), nullptr);
      return;
    }
    ctx.set_user_value("a", mourned(dead, "a"));
    ctx.set_user_value("b", mourned(dead, "b"));
    EXPECT_THAT(dead, ElementsAre());
  });
  Peer peer = app.connect();
  peer.send(get("/1"));
  app.lab().settle();
  EXPECT_THAT(dead, ElementsAre("b", "a")) << "when it has been answered";
  peer.send(get("/2"));
  app.lab().settle();
  EXPECT_THAT(dead_before_second, ElementsAre("b", "a"));
}

TEST(UserValues, DieOnceThoughTheHandlerThrows) {
  std::vector<std::string> dead;
  Serving app([&](RequestCtx& ctx) {
    ctx.set_user_value("a", mourned(dead, "a"));
    throw std::runtime_error("no");
  });
  app.answer_to(test::kGet);
  EXPECT_THAT(dead, ElementsAre("a"));
}

}  // namespace
}  // namespace pipette::server
