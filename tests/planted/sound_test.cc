// The stack as it is: none of the hunts finds anything.
#include <gtest/gtest.h>

#include "tests/planted/scenarios.h"

namespace pipette::planted {
namespace {

class Sound : public testing::TestWithParam<std::string_view> {};

TEST_P(Sound, HasNoneOfThePlantedBugs) {
  const Hunt result = hunt(GetParam());
  EXPECT_FALSE(result.has_found) << result.report;
  EXPECT_GE(result.worlds, 20U);
}

INSTANTIATE_TEST_SUITE_P(Planted, Sound, testing::ValuesIn(names()),
                         [](const auto& sample) { return std::string(sample.param); });

}  // namespace
}  // namespace pipette::planted
