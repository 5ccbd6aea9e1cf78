#include "pipette/base/ipv4.h"

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
