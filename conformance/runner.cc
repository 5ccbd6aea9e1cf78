// Makes a test of every case in the folders beside this file: delivers its octets whole, one by one, and cut in two at
// every place, and each time the same events must come of it.
//
//   pipette_conformance_tests --gtest_filter='Rfc9112_6_3*'
//
// A file that cannot be read is reported and ends the run with 1, before any test.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

#include "conformance/check.h"

namespace pipette::conformance {
namespace {

class ConformanceTest : public testing::Test {
 public:
  explicit ConformanceTest(const Case& of) : case_(of) {}

 private:
  void TestBody() override {  // NOLINT(readability-identifier-naming)
    const std::string difference = check(case_);
    const std::string place = "conformance/" + case_.file + ":" + std::to_string(case_.line) + ": " + case_.title;
    if (case_.is_not_met) {
      EXPECT_FALSE(difference.empty()) << place << "\nis met now: remove its line `Not met:`";
    } else {
      EXPECT_TRUE(difference.empty()) << place << "\n" << case_.requirement << "\n" << difference;
    }
  }

  const Case& case_;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// All cases, in the order of their files' names. Static, for the tests refer to them.
bool load(const std::filesystem::path& root, Cases& cases) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const bool is_case_file = entry.path().extension() == ".md" && entry.path().parent_path() != root;
    if (is_case_file) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  bool is_good = true;
  for (const std::filesystem::path& path : paths) {
    auto parsed = parse_cases(path.lexically_relative(root).generic_string(), read_file(path));
    if (!parsed) {
      std::fprintf(stderr, "%s\n", parsed.error().c_str());
      is_good = false;
      continue;
    }
    std::ranges::move(*parsed, std::back_inserter(cases));
  }
  return is_good && !cases.empty();
}

void register_tests(const Cases& cases) {
  for (const Case& one : cases) {
    const std::string file = "conformance/" + one.file;
    testing::RegisterTest(suite_name(one.file).c_str(), test_name(one.title).c_str(), nullptr, nullptr, file.c_str(),
                          static_cast<int>(one.line), [&one]() -> testing::Test* { return new ConformanceTest(one); });
  }
}

}  // namespace
}  // namespace pipette::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  pipette::conformance::Cases cases;
  if (!pipette::conformance::load(PIPETTE_CONFORMANCE_DIR, cases)) return 1;
  pipette::conformance::register_tests(cases);
  return RUN_ALL_TESTS();
}
