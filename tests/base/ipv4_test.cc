#include "pipette/base/ipv4.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/splits.h"

namespace pipette {
namespace {

std::optional<Ipv4> parse_exactly(std::string_view text) { return parse_ipv4(test::ExactBlock(text).octets()); }

std::string to_text(const Ipv4& ip) {
  std::string out = "kept ";
  append_ipv4(ip, out);
  return out;
}

TEST(Ipv4, ReadsFourNumbers) {
  EXPECT_EQ(parse_exactly("0.0.0.0"), (Ipv4{0, 0, 0, 0}));
  EXPECT_EQ(parse_exactly("127.0.0.1"), (Ipv4{127, 0, 0, 1}));
  EXPECT_EQ(parse_exactly("255.255.255.255"), (Ipv4{255, 255, 255, 255}));
}

TEST(Ipv4, ReadsWhatItWrites) {
  for (unsigned value = 0; value < 256; ++value) {
    const auto octet = static_cast<std::uint8_t>(value);
    for (std::size_t place = 0; place < 4; ++place) {
      Ipv4 ip = {9, 99, 199, 0};
      ip[place] = octet;
      const std::string text = to_text(ip);
      EXPECT_EQ(text, "kept " + std::to_string(ip[0]) + '.' + std::to_string(ip[1]) + '.' + std::to_string(ip[2]) +
                          '.' + std::to_string(ip[3]));
      EXPECT_EQ(parse_exactly(text.substr(5)), ip) << text;
    }
  }
}

// Number after number.
std::optional<Ipv4> parse_slowly(std::string_view text) {
  Ipv4 ip{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t size = std::min(text.find('.'), text.size());
    const std::string_view number = text.substr(0, size);
    if (number.empty() || number.size() > 3 || (number.size() > 1 && number[0] == '0')) return std::nullopt;
    if (number.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    const int value = std::stoi(std::string(number));
    if (value > 255 || (i < 3) != (size < text.size())) return std::nullopt;
    ip[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return ip;
}

TEST(Ipv4, ReadsEverySizeAndOctetAlike) {
  for (const std::string_view good :
       {"1.2.3.4", "12.3.4.5", "1.23.4.5", "1.2.34.5", "1.2.3.45", "1.22.3.44", "12.34.56.78", "123.1.1.1", "1.123.1.1",
        "1.1.123.1", "1.1.1.123", "199.2.255.10", "10.255.0.199", "123.145.167.18", "255.255.255.255"}) {
    for (std::size_t place = 0; place < good.size(); ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string text(good);
        text[place] = static_cast<char>(octet);
        ASSERT_EQ(parse_exactly(text), parse_slowly(text)) << "octet " << octet << " at " << place << " of " << good;
      }
    }
  }
}

TEST(Ipv4, RefusesWhatIsNotTheOneSpelling) {
  for (const std::string_view text :
       {"",          ".",         "...",       "1",          "1.2",       "1.2.3",    "1.2.3.",
        ".1.2.3",    "1..2.3",    "1.2.3.4.",  "1.2.3.4.5",  "01.2.3.4",  "1.2.3.04", "1.2.3.00",
        "256.0.0.1", "1.2.3.256", "1.2.3.999", "1.2.3.1000", "1.2.3.4 ",  " 1.2.3.4", "+1.2.3.4",
        "-1.2.3.4",  "1.2.3.0x4", "1.2.3.4/8", "1,2,3,4",    "::1.2.3.4", "a.b.c.d"}) {
    EXPECT_EQ(parse_exactly(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_exactly(std::string_view("1.2.3.4\0", 8)), std::nullopt);
}

}  // namespace
}  // namespace pipette
