#include "conformance/runner.h"

#include <cstdio>
#include <gtest/gtest.h>

#include "conformance/load.h"

namespace pipette::conformance {
namespace {

class ConformanceTest : public testing::Test {
 public:
  ConformanceTest(const Case& of, const Check& check) : case_(of), check_(check) {}

 private:
  void TestBody() override {  // NOLINT(readability-identifier-naming)
    const std::string difference = check_(case_);
    const std::string place = "conformance/" + case_.file + ":" + std::to_string(case_.line) + ": " + case_.title;
    if (case_.is_not_met) {
      EXPECT_FALSE(difference.empty()) << place << "\nis met now: remove its line `Not met:`";
    } else {
      EXPECT_TRUE(difference.empty()) << place << "\n" << case_.requirement << "\n" << difference;
    }
  }

  const Case& case_;
  const Check& check_;
};

void register_test(const Case& one, const Check& check) {
  const std::string file = "conformance/" + one.file;
  testing::RegisterTest(suite_name(one.file).c_str(), test_name(one.title).c_str(), nullptr, nullptr, file.c_str(),
                        static_cast<int>(one.line),
                        [&one, &check]() -> testing::Test* { return new ConformanceTest(one, check); });
}

}  // namespace

int run_cases(int argc, char** argv, bool of_servers, const Check& check) {
  testing::InitGoogleTest(&argc, argv);
  const auto cases = load_cases(PIPETTE_CONFORMANCE_DIR);
  if (!cases) {
    std::fputs(cases.error().c_str(), stderr);
    return 1;
  }
  for (const Case& one : *cases) {
    if (of_servers == (one.sent == Sent::to_server)) register_test(one, check);
  }
  return RUN_ALL_TESTS();
}

}  // namespace pipette::conformance
