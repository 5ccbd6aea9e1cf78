#include "pipette/tcp/signals.h"

#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

#include "pipette/tcp/runtime.h"

namespace pipette::tcp {
namespace {

Task<> hear(Signals& signals, int count, std::vector<int>& heard) {
  for (int i = 0; i < count; ++i) heard.push_back(co_await signals.next());
}

bool is_caught(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler != SIG_DFL;
}

TEST(Signals, AreHeardOneAfterTheOtherAlsoThoseThatCameBefore) {
  Runtime runtime;
  constexpr std::array kSignals = {SIGUSR1, SIGUSR2};
  Signals signals(runtime, kSignals);
  std::vector<int> heard;
  ::raise(SIGUSR1);
  runtime.run(hear(signals, 1, heard));
  ::raise(SIGUSR2);
  ::raise(SIGUSR1);
  runtime.run(hear(signals, 2, heard));
  EXPECT_THAT(heard, testing::UnorderedElementsAre(SIGUSR1, SIGUSR2, SIGUSR1));
}

TEST(Signals, HaveTheirDefaultEffectAgainInTheEndAndThoseThatAreCaughtOnceWhenTheyCame) {
  struct Case {
    Signals::Catch how;
    bool is_caught_then;
  };
  for (const Case& each : {Case{Signals::Catch::always, true}, Case{Signals::Catch::once, false}}) {
    Runtime runtime;
    {
      constexpr std::array kSignals = {SIGUSR1};
      Signals signals(runtime, kSignals, each.how);
      EXPECT_TRUE(is_caught(SIGUSR1));
      std::vector<int> heard;
      ::raise(SIGUSR1);
      EXPECT_EQ(is_caught(SIGUSR1), each.is_caught_then);
      runtime.run(hear(signals, 1, heard));
      EXPECT_EQ(heard, std::vector<int>({SIGUSR1}));
    }
    EXPECT_FALSE(is_caught(SIGUSR1));
  }
}

}  // namespace
}  // namespace pipette::tcp
