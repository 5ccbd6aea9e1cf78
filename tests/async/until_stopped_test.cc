// A task that ends with a stop.
#include "pipette/async/until_stopped.h"

#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>

#include "pipette/async/sleep.h"
#include "pipette/lab/lab.h"

namespace pipette::async {
namespace {

using namespace std::chrono_literals;

Task<int> seven_after(Lab& lab, Duration wait) {
  co_await sleep_until(lab.world().loop(), after(lab.now(), wait));
  co_return 7;
}

Task<int> throws(Lab& lab) {
  co_await sleep_until(lab.world().loop(), after(lab.now(), 1s));
  throw std::out_of_range("no seven");
}

Task<> stop_after(Lab& lab, StopSource& source, Duration wait) {
  co_await sleep_until(lab.world().loop(), after(lab.now(), wait));
  source.request_stop(StopReason::canceled);
}

TEST(UntilStopped, GivesWhatTheTaskGives) {
  Lab lab;
  StopSource source(lab.world().loop());
  EXPECT_EQ(lab.run(until_stopped(lab.world().loop(), seven_after(lab, 1s), source.token())), 7);
  EXPECT_EQ(lab.run(until_stopped(lab.world().loop(), seven_after(lab, 1s), StopToken())), 7) << "never stopped";
  EXPECT_EQ(lab.elapsed(), 2s);
}

TEST(UntilStopped, EndsAtTheStopAndCancelsTheTask) {
  Lab lab;
  StopSource source(lab.world().loop());
  lab.spawn(stop_after(lab, source, 3s));
  EXPECT_EQ(lab.run(until_stopped(lab.world().loop(), seven_after(lab, 1h), source.token())), std::nullopt);
  EXPECT_EQ(lab.elapsed(), 3s);
  EXPECT_EQ(lab.run(until_stopped(lab.world().loop(), seven_after(lab, 1h), source.token())), std::nullopt);
  EXPECT_EQ(lab.elapsed(), 3s) << "which had come before";
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever) << "nothing sleeps any more";
}

TEST(UntilStopped, ThrowsWhatTheTaskThrows) {
  Lab lab;
  StopSource source(lab.world().loop());
  EXPECT_THROW((void)lab.run(until_stopped(lab.world().loop(), throws(lab), source.token())), std::out_of_range);
}

}  // namespace
}  // namespace pipette::async
