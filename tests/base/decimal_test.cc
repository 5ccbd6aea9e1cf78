#include "pipette/base/decimal.h"

#include <charconv>
#include <gtest/gtest.h>
#include <string>

#include "pipette/base/random.h"

#include "tests/support/splits.h"

namespace pipette {
namespace {

std::optional<double> parse_exactly(std::string_view text) {
  return parse_unsigned_float(test::ExactBlock(text).octets());
}

double by_the_library(const std::string& text) {
  double value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

TEST(Decimal, ReadsFractionsAndExponents) {
  struct Case {
    const char* text;
    double value;
  };
  for (const auto& [text, value] :
       {Case{"0", 0}, Case{"0.0", 0}, Case{"1", 1}, Case{"007", 7}, Case{"1.25", 1.25}, Case{"0.001", 0.001},
        Case{"3e2", 300}, Case{"3E+2", 300}, Case{"25e-2", 0.25}, Case{"1234.56789", 1234.56789}, Case{"1e308", 1e308},
        Case{"0e999", 0}, Case{"123456789012345678901234567890", 123456789012345678901234567890.0},
        Case{"9007199254740993", 9007199254740992}}) {
    EXPECT_EQ(parse_exactly(text), value) << text;
  }
}

TEST(Decimal, IsTheNearestDoubleAtEveryLength) {
  Random random(1, "decimals");
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t digits = 1 + random.below(20); digits > 0; --digits)
      text += static_cast<char>('0' + random.below(10));
    if (random.below(2) == 0) text.insert(1 + random.below(text.size()), ".");
    if (text.ends_with('.')) text += '5';
    ASSERT_EQ(parse_exactly(text), by_the_library(text)) << text;
  }
}

TEST(Decimal, RefusesWhatIsNoUnsignedDecimal) {
  for (const std::string_view text :
       {"",    "+1",  "-1",  ".",   ".5",  "1.",       "1..2",  "1.2.3",  "e1", "1e",    "1e+", "1.e1",  " 1",  "1 ",
        "1,5", "1_0", "0x1", "inf", "nan", "infinity", "1e999", "1e-999", "1f", "1e1.5", "--1", "1e1e1", "\xb2"}) {
    EXPECT_EQ(parse_exactly(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_exactly(std::string_view("1\0", 2)), std::nullopt);
}

}  // namespace
}  // namespace pipette
