#include "pipette/base/ascii.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/splits.h"

namespace pipette::ascii {
namespace {

// For each octet: is it in the class? `members` lists all of a class, from the RFC's grammar.
void expect_members(bool (*is_member)(char), const std::string& members) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    EXPECT_EQ(is_member(c), members.find(c) != std::string::npos) << "octet " << octet;
  }
}

std::string range(int first, int last) {
  std::string octets;
  for (int octet = first; octet <= last; ++octet) octets += static_cast<char>(octet);
  return octets;
}

const std::string kDigit = "0123456789";
const std::string kAlpha = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::string kUnreserved = kAlpha + kDigit + "-._~";
const std::string kSubDelims = "!$&'()*+,;=";

TEST(Ascii, DigitsLettersAndBlanksAreThoseOfRfc5234) {
  expect_members(is_digit, kDigit);
  expect_members(is_alpha, kAlpha);
  expect_members(is_hex_digit, kDigit + "abcdefABCDEF");
  expect_members(is_space_or_tab, " \t");
}

TEST(Ascii, TokenCharactersAreThoseOfRfc9110) { expect_members(is_token_char, "!#$%&'*+-.^_`|~" + kDigit + kAlpha); }

TEST(Ascii, ValueCharactersAreVisibleBlankOrObsText) {
  expect_members(is_value_char, std::string("\t") + range(0x20, 0x7e) + range(0x80, 0xff));
}

TEST(Ascii, TargetCharactersAreThoseOfRfc3986WithTheBracketsOfAHost) {
  expect_members(is_target_char, kUnreserved + kSubDelims + "%:@/?");
}

// But for the comma, which joins two Host fields.
TEST(Ascii, HostCharactersAreThoseOfARegName) {
  std::string characters = kUnreserved + kSubDelims + "%";
  std::erase(characters, ',');
  expect_members(is_host_char, characters);
}

TEST(Ascii, LowersLettersAndNothingElse) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    EXPECT_EQ(to_lower(c), c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) << "octet " << octet;
  }
}

// Every octet at every place of every length, among octets that a carry would change.
TEST(Ascii, LowersTextInPlaceAsItLowersEachOctet) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (int octet = 0; octet < 256; ++octet) {
      for (std::size_t place = 0; place < size; ++place) {
        std::string text(size, place % 2 == 0 ? '\xff' : 'Z');
        text[place] = static_cast<char>(octet);
        std::string expected = text;
        for (char& c : expected) c = to_lower(c);
        make_lower(text);
        ASSERT_EQ(text, expected) << "octet " << octet << " at " << place << " of " << size;
      }
    }
  }
}

TEST(Ascii, ReadsHexDigitsInBothCases) {
  for (unsigned value = 0; value < 16; ++value) {
    EXPECT_EQ(hex_value("0123456789abcdef"[value]), value);
    EXPECT_EQ(hex_value("0123456789ABCDEF"[value]), value);
  }
}

TEST(Ascii, EmptyTextIsAValueButNoToken) {
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_value(""));
}

TEST(Ascii, OneBadOctetSpoilsATokenAndAValue) {
  EXPECT_TRUE(is_token("X-Token"));
  EXPECT_FALSE(is_token("X Token"));
  EXPECT_FALSE(is_token("X-Token:"));
  EXPECT_TRUE(is_value("a b\tc \xc3\xa9"));
  EXPECT_FALSE(is_value("a\rb"));
  EXPECT_FALSE(is_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_value("a\x7f"));
}

TEST(Ascii, ComparesWithoutTheCaseOfLettersOnly) {
  EXPECT_TRUE(equal_ignoring_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equal_ignoring_case("Content-Length", "Content-Lengt"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(equal_ignoring_case("\r", "-"));
  EXPECT_FALSE(equal_ignoring_case("\xc0", "\xe0"));
}

TEST(Ascii, ComparesTextsOfEverySizeAndOctetAlike) {
  for (std::size_t size = 1; size <= 25; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string one = std::string("aB3-xYz@").append("[`{ComMon_Texts^~").substr(0, size);
        std::string other = one;
        one[place] = static_cast<char>(octet);
        for (const int difference : {0, 0x20, 1, 0x80}) {
          other[place] = static_cast<char>(octet ^ difference);
          const bool is_equal = to_lower(one[place]) == to_lower(other[place]);
          const test::ExactBlock a(one);
          const test::ExactBlock b(other);
          ASSERT_EQ(equal_ignoring_case(a.octets(), b.octets()), is_equal)
              << "octet " << octet << " at " << place << " of " << size << ", difference " << difference;
        }
      }
    }
  }
}

TEST(Ascii, TrimsSpacesAndTabsAndNothingElse) {
  EXPECT_EQ(trim(" \t a b \t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  for (const char kept : {'\v', '\f', '\r', '\n', '\0', '\x85', '\xa0'}) {
    const std::string text = {kept, 'a', kept};
    EXPECT_EQ(trim(text), text);
  }
}

TEST(Ascii, ParsesDecimalUpToTheLargestNumber) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("42"), 42U);
  EXPECT_EQ(parse_decimal("0042"), 42U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_decimal("000000000000000000000000018446744073709551615"), UINT64_MAX);
}

// One digit after the other.
std::optional<std::uint64_t> parse_slowly(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10U, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<unsigned>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}

TEST(Ascii, ParsesDecimalOfEverySizeAndOctetAlike) {
  for (const std::string_view digits : {"1234567890987654321234567", "9999999999999999999999999",
                                        "0000000000000000000000000", "1844674407370955161618446"}) {
    for (std::size_t size = 1; size <= digits.size(); ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        for (int octet = 0; octet < 256; ++octet) {
          std::string text(digits.substr(0, size));
          text[place] = static_cast<char>(octet);
          const test::ExactBlock block(text);
          ASSERT_EQ(parse_decimal(block.octets()), parse_slowly(text))
              << "octet " << octet << " at " << place << " of " << size;
        }
      }
    }
  }
}

TEST(Ascii, RefusesDecimalThatOverflows) {
  for (const std::string_view digits : {"18446744073709551616", "18446744073709551620", "18446744073709551700",
                                        "28446744073709551615", "99999999999999999999", "184467440737095516150"}) {
    EXPECT_EQ(parse_decimal(digits), std::nullopt) << digits;
  }
}

TEST(Ascii, RefusesDecimalThatIsNotDigitsAlone) {
  for (const std::string_view digits : {"", "+1", "-1", "-0", " 1", "1 ", "1_0", "1,1", "0x1", "1.0", "1e3", "\xb2"}) {
    EXPECT_EQ(parse_decimal(digits), std::nullopt) << digits;
  }
  EXPECT_EQ(parse_decimal(std::string_view("1\0", 2)), std::nullopt);
}

}  // namespace
}  // namespace pipette::ascii
