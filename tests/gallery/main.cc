// The gallery as a table: a line for each scenario, with the time that passed in its world and the time that it took.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <gmock/gmock.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/guard/gtest.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

[[maybe_unused]] const auto* const kStays = testing::AddGlobalTestEnvironment(new guard::StaysInMemory);

struct Row {
  std::string scenario;
  std::string outage;
  std::string virtual_time;
  std::string wall_time;
  std::string verdict;
};

// "CutsADrip" --> "cuts a drip"
std::string in_words(std::string_view name) {
  std::string words;
  for (const char c : name) {
    const bool begins_word = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (begins_word && !words.empty()) words += ' ';
    words += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return words;
}

std::string property(const testing::TestInfo& test, std::string_view key) {
  for (int i = 0; i < test.result()->test_property_count(); ++i) {
    const testing::TestProperty& found = test.result()->GetTestProperty(i);
    if (key == found.key()) return found.value();
  }
  return "";
}

std::int64_t virtual_ns(const testing::TestInfo& test) { return std::atoll(property(test, kVirtualTime).c_str()); }

// "13.275 s", "2 min 5 s", "1 h 0 min 30 s": to the millisecond.
std::string describe_virtual(std::int64_t ns) {
  const std::int64_t ms = ns / 1'000'000;
  const std::int64_t minutes = ms / 60'000;
  std::string text = minutes >= 60 ? std::to_string(minutes / 60) + " h " : "";
  if (minutes > 0) text += std::to_string(minutes % 60) + " min ";
  text += std::to_string(ms % 60'000 / 1000);
  if (ms % 1000 != 0) {
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text + " s";
}

std::string describe_wall(std::int64_t ms) { return ms == 0 ? "< 1 ms" : std::to_string(ms) + " ms"; }

void print_padded(std::string_view text, std::size_t width, bool to_the_right = false) {
  std::printf(to_the_right ? "%*s  " : "%-*s  ", static_cast<int>(width), std::string(text).c_str());
}

void print(const std::vector<Row>& rows) {
  std::size_t scenario = 0;
  std::size_t outage = 0;
  std::size_t virtual_time = 0;
  std::size_t wall_time = 0;
  for (const Row& row : rows) {
    scenario = std::max(scenario, row.scenario.size());
    outage = std::max(outage, row.outage.size());
    virtual_time = std::max(virtual_time, row.virtual_time.size());
    wall_time = std::max(wall_time, row.wall_time.size());
  }
  for (const Row& row : rows) {
    print_padded(row.scenario, scenario);
    print_padded(row.outage, outage);
    print_padded(row.virtual_time, virtual_time, true);
    print_padded(row.wall_time, wall_time, true);
    std::printf("%s\n", row.verdict.c_str());
  }
}

class Table final : public testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::printf("%s:%d: %s\n", result.file_name() == nullptr ? "" : result.file_name(), result.line_number(),
                result.message());
  }

  // After all listeners that may still fail a test.
  void OnTestIterationEnd(const testing::UnitTest& all, int) override {
    std::vector<Row> rows = {{"scenario", "happened in", "virtual time", "wall time", "verdict"}};
    std::int64_t total_ns = 0;
    for (int i = 0; i < all.total_test_suite_count(); ++i) {
      const testing::TestSuite& suite = *all.GetTestSuite(i);
      for (int j = 0; j < suite.total_test_count(); ++j) {
        const testing::TestInfo& test = *suite.GetTestInfo(j);
        if (!test.should_run()) continue;
        total_ns += virtual_ns(test);
        rows.push_back({in_words(test.name()), property(test, kOutage), describe_virtual(virtual_ns(test)),
                        describe_wall(test.result()->elapsed_time()), test.result()->Passed() ? "passed" : "FAILED"});
      }
    }
    print(rows);
    std::printf("\n%d scenarios, %s of virtual time, %s of wall time; %d failed\n", all.test_to_run_count(),
                describe_virtual(total_ns).c_str(), describe_wall(all.elapsed_time()).c_str(), all.failed_test_count());
  }
};

}  // namespace
}  // namespace pipette::test

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(std::make_unique<pipette::test::Table>().release());
  return RUN_ALL_TESTS();
}
