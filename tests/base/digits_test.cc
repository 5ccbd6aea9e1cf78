#include "pipette/base/digits.h"

#include <charconv>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pipette {
namespace {

std::string by_the_library(std::uint64_t value, int radix) {
  char room[64];
  return {room, std::to_chars(room, room + sizeof room, value, radix).ptr};
}

// Around every power of two and of ten, and what is made of them.
std::vector<std::uint64_t> telling_values() {
  std::vector<std::uint64_t> values;
  for (const std::uint64_t radix : {std::uint64_t{2}, std::uint64_t{10}}) {
    for (std::uint64_t power = 1; power <= UINT64_MAX / radix; power *= radix) {
      for (std::uint64_t value = power - std::min<std::uint64_t>(power, 12); value <= power + 12; ++value) {
        values.push_back(value);
        values.push_back(~value);
      }
    }
  }
  return values;
}

TEST(WriteDecimal, WritesWhatTheLibraryWrites) {
  for (const std::uint64_t value : telling_values()) {
    std::string text = "<";
    append_decimal(text, value);
    ASSERT_EQ(text, "<" + by_the_library(value, 10));
  }
}

TEST(WriteDecimal, AppendsToStringsOfEverySize) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (const std::uint64_t value : {0U, 7U, 42U, 1'234U, 99'999'999U, 100'000'000U, 4'294'967'295U}) {
      std::string text(size, 'x');
      append_decimal(text, value);
      ASSERT_EQ(text, std::string(size, 'x') + by_the_library(value, 10)) << size;
    }
  }
}

TEST(WriteDecimal, WritesEachOfTheFirstMillion) {
  for (std::uint64_t value = 0; value < 1'000'000; ++value) {
    char room[kMaxDigits];
    const std::string_view text(room, static_cast<std::size_t>(write_decimal(room, value) - room));
    ASSERT_EQ(text, by_the_library(value, 10));
  }
}

TEST(WriteHex, WritesWhatTheLibraryWrites) {
  for (const std::uint64_t value : telling_values()) {
    std::string text = "<";
    append_hex(text, value);
    ASSERT_EQ(text, "<" + by_the_library(value, 16));
  }
}

TEST(WriteHex, WritesEachOfTheFirstMillionInLowerCase) {
  for (std::uint64_t value = 0; value < 1'000'000; ++value) {
    char room[kMaxDigits];
    const std::string_view text(room, static_cast<std::size_t>(write_hex(room, value) - room));
    ASSERT_EQ(text, by_the_library(value, 16));
  }
}

}  // namespace
}  // namespace pipette
