#include "pipette/http/percent.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

constexpr PercentSet kSets[] = {PercentSet::unreserved, PercentSet::segment, PercentSet::path, PercentSet::query,
                                PercentSet::form};

std::string form_decode(std::string_view text) {
  std::string decoded;
  append_form_decoded(text, decoded);
  return decoded;
}

std::string every_octet() {
  std::string octets;
  for (unsigned octet = 0; octet < 256; ++octet) octets += static_cast<char>(octet);
  return octets;
}

TEST(PercentDecode, DecodesEveryOctet) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  for (unsigned octet = 0; octet < 256; ++octet) {
    const std::string decoded(1, static_cast<char>(octet));
    EXPECT_EQ(percent_decode(std::string{'%', kHex[octet / 16], kHex[octet % 16]}), decoded);
    EXPECT_EQ(percent_decode(std::string{'%', kUpperHex[octet / 16], kUpperHex[octet % 16]}), decoded);
  }
}

TEST(PercentDecode, DecodesOnceAndLeavesTheRest) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a/b"), "a/b");
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(percent_decode("%2541"), "%41");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(PercentDecode, RefusesAPercentSignWithoutTwoHexDigits) {
  for (const std::string_view text :
       {"%", "%4", "%g4", "%4g", "a%", "a%4", "%%41", "% 41", "%+1", "%-1", "%0x", "%41%", "%\x80\x80"}) {
    const test::ExactBlock block(text);
    std::string out = "before";
    EXPECT_EQ(append_percent_decoded(block.octets(), out), Result<void>(fail(Errc::bad_uri))) << text;
    EXPECT_EQ(out, "before") << text;
    EXPECT_EQ(percent_decode(text), Result<std::string>(fail(Errc::bad_uri))) << text;
  }
}

TEST(PercentDecode, Appends) {
  std::string out = "a";
  ASSERT_TRUE(append_percent_decoded("%62c", out));
  ASSERT_TRUE(append_percent_decoded("d", out));
  EXPECT_EQ(out, "abcd");
}

TEST(FormDecode, TakesPlusAsASpace) {
  EXPECT_EQ(form_decode("a+b%2Bc%20d++"), "a b+c d  ");
  EXPECT_EQ(form_decode(""), "");
}

TEST(FormDecode, LeavesAMalformedPercentSignAsItIs) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"%", "%"},       {"%4", "%4"},   {"a%", "a%"},         {"%zz", "%zz"}, {"%4g", "%4g"},
      {"%g4", "%g4"},   {"%%41", "%A"}, {"%4%41", "%4A"},     {"%+1", "% 1"}, {"100%+sure", "100% sure"},
      {"%2541", "%41"}, {"%41%", "A%"}, {"%u0041", "%u0041"},
  };
  for (const auto& [text, decoded] : kRows) {
    const test::ExactBlock block(text);
    EXPECT_EQ(form_decode(block.octets()), decoded) << text;
  }
}

// What copies whole blocks looks at each octet, wherever the first one to decode stands.
TEST(FormDecode, FindsWhatToDecodeAtEveryPlace) {
  for (std::size_t size = 0; size < 70; ++size) {
    const test::ExactBlock plain(std::string(size, 'a'));
    EXPECT_EQ(form_decode(plain.octets()), plain.octets());
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      std::string expected = text;
      text[at] = '+';
      expected[at] = ' ';
      EXPECT_EQ(form_decode(test::ExactBlock(text).octets()), expected);
      text.replace(at, 1, "%42");
      expected[at] = 'B';
      EXPECT_EQ(form_decode(test::ExactBlock(text).octets()), expected);
    }
  }
}

TEST(FormDecode, DecodesInPlace) {
  for (const std::string_view text : {""sv, "a"sv, "a+b%41"sv, "0123456789abcdef0123456789%41+"sv, "%"sv}) {
    std::string in_place(text);
    in_place.resize(form_decode_in_place(in_place.data(), in_place.size()));
    EXPECT_EQ(in_place, form_decode(text)) << text;
  }
}

TEST(PercentEncode, LeavesTheOctetsOfItsSet) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::pair<PercentSet, std::string_view> kRows[] = {
      {PercentSet::unreserved, ""},
      {PercentSet::segment, "!$&'()*+,;=:@"},
      {PercentSet::path, "!$&'()*+,;=:@/"},
      {PercentSet::query, "!$&'()*+,;=:@/?"},
      {PercentSet::form, ""},
  };
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  for (const auto& [set, more] : kRows) {
    for (unsigned octet = 0; octet < 256; ++octet) {
      const std::string text(1, static_cast<char>(octet));
      std::string expected{'%', kUpperHex[octet / 16], kUpperHex[octet % 16]};
      if (kUnreserved.contains(text) || more.contains(text)) expected = text;
      if (set == PercentSet::form && octet == ' ') expected = "+";
      EXPECT_EQ(percent_encode(text, set), expected) << octet;
    }
  }
}

TEST(PercentEncode, IsUndoneByDecoding) {
  for (const PercentSet set : kSets) {
    const std::string encoded = percent_encode(every_octet(), set);
    if (set == PercentSet::form) {
      EXPECT_EQ(form_decode(encoded), every_octet());
    } else {
      EXPECT_EQ(percent_decode(encoded), every_octet());
    }
  }
}

TEST(PercentEncode, Appends) {
  std::string out = "a";
  append_percent_encoded("b c", PercentSet::unreserved, out);
  append_percent_encoded("", PercentSet::unreserved, out);
  append_percent_encoded("d", PercentSet::unreserved, out);
  EXPECT_EQ(out, "ab%20cd");
}

}  // namespace
}  // namespace pipette::http
