// A world: its clock, its randomness, its transcript.
#include "pipette/inmem/world.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint64_t> draw(Random random) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(random.next());
  return numbers;
}

TEST(World, GivesTheSameNumbersForTheSameSeedAndStream) {
  World first(7);
  World second(7);
  World other(8);
  EXPECT_EQ(first.seed(), 7U);
  EXPECT_EQ(draw(first.runtime().random("jitter")), draw(second.runtime().random("jitter")));
  EXPECT_NE(draw(first.runtime().random("jitter")), draw(other.runtime().random("jitter")));
  EXPECT_NE(draw(first.runtime().random("jitter")), draw(first.runtime().random("shuffle")));
}

TEST(World, IsNotShiftedByAnotherStream) {
  World first;
  World second;
  draw(first.runtime().random("another"));
  EXPECT_EQ(draw(first.runtime().random("jitter")), draw(second.runtime().random("jitter")));
}

TEST(World, BeginsAtZeroOnNewYears2026) {
  World world;
  EXPECT_EQ(world.loop().now(), TimePoint());
  EXPECT_EQ(world.loop().wall_now(), WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));
  world.advance_to(TimePoint(1h));
  EXPECT_EQ(world.loop().wall_now(), kWorldStart + 1h);
}

TEST(World, BeginsWhenItIsTold) {
  const WallTime start = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6);
  World world(1, start);
  EXPECT_EQ(world.loop().wall_now(), start);
}

TEST(World, IsTheRuntimeOfItsParts) {
  World world;
  EXPECT_EQ(&world.runtime().loop(), &world.loop());
  EXPECT_EQ(&world.runtime(), &world.host("client").runtime());
}

// Sets PIPETTE_TRANSCRIPT for a scope, and puts back what was there.
class TranscriptFile {
 public:
  TranscriptFile() : name_(testing::TempDir() + "pipette_world_test_transcript") {
    if (const char* before = std::getenv(kVariable)) before_ = before;
    std::remove(name_.c_str());
    ::setenv(kVariable, name_.c_str(), 1);
  }
  ~TranscriptFile() {
    if (before_.empty()) {
      ::unsetenv(kVariable);
    } else {
      ::setenv(kVariable, before_.c_str(), 1);
    }
    std::remove(name_.c_str());
  }
  TranscriptFile(const TranscriptFile&) = delete;
  TranscriptFile& operator=(const TranscriptFile&) = delete;

  std::string text() const {
    std::ostringstream text;
    text << std::ifstream(name_).rdbuf();
    return text.str();
  }

 private:
  static constexpr const char* kVariable = "PIPETTE_TRANSCRIPT";
  std::string name_;
  std::string before_;
};

TEST(World, AppendsItsTranscriptToTheFileThatTheEnvironmentNames) {
  const TranscriptFile file;
  {
    World first(3);
    first.log().note(first.now(), "one");
    World second(4);
    second.log().note(second.now(), "two");
    EXPECT_EQ(file.text(), "");
  }
  EXPECT_EQ(file.text(), "world, seed 4\n+0.000000000  two\n\nworld, seed 3\n+0.000000000  one\n\n");
}

TEST(World, WritesNothingWhenNothingHappened) {
  const TranscriptFile file;
  {
    const World world;
  }
  EXPECT_EQ(file.text(), "");
}

}  // namespace
}  // namespace pipette::inmem
