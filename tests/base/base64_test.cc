#include "pipette/base/base64.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette {
namespace {

using namespace std::string_view_literals;

constexpr Base64 kForms[] = {Base64::standard, Base64::url, Base64::url_unpadded};

std::string encode(Bytes octets, Base64 form = Base64::standard) {
  std::string out = "<";
  append_base64(octets, out, form);
  return out.substr(1);
}

Result<std::string> decode(std::string_view text, Base64 form = Base64::standard) {
  const test::ExactBlock block(text);
  std::string out = "<";
  if (const Result<void> decoded = append_base64_decoded(block.octets(), out, form); !decoded) {
    EXPECT_EQ(out, "<");
    return fail(decoded.error());
  }
  return out.substr(1);
}

TEST(Base64, HasTheVectorsOfTheRfc) {
  struct Row {
    std::string_view octets, standard, unpadded;
  };
  constexpr Row kRows[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(encode(row.octets), row.standard);
    EXPECT_EQ(encode(row.octets, Base64::url), row.standard);
    EXPECT_EQ(encode(row.octets, Base64::url_unpadded), row.unpadded);
    EXPECT_EQ(decode(row.standard), row.octets);
    EXPECT_EQ(decode(row.standard, Base64::url), row.octets);
    EXPECT_EQ(decode(row.unpadded, Base64::url_unpadded), row.octets);
  }
}

TEST(Base64, HasTwoAlphabets) {
  EXPECT_EQ(encode("\xfb\xef\xbe\xff\xff\xff"sv), "++++////");
  EXPECT_EQ(encode("\xfb\xef\xbe\xff\xff\xff"sv, Base64::url), "----____");
  EXPECT_EQ(decode("++++////"), "\xfb\xef\xbe\xff\xff\xff"sv);
  EXPECT_EQ(decode("----____", Base64::url_unpadded), "\xfb\xef\xbe\xff\xff\xff"sv);
  EXPECT_EQ(decode("++++////", Base64::url).error(), Errc::bad_base64);
  EXPECT_EQ(decode("----____").error(), Errc::bad_base64);
}

TEST(Base64, ReadsWhatItWrites) {
  std::string octets;
  for (int i = 0; i < 300; ++i) {
    for (const Base64 form : kForms) {
      const std::string text = encode(octets, form);
      EXPECT_EQ(text.size(), base64_size(octets.size(), form));
      EXPECT_GE(max_base64_octets(text.size()), octets.size());
      EXPECT_EQ(decode(text, form), octets);
    }
    octets += static_cast<char>(i * 7);
  }
}

// Every text of four octets that is accepted is the one that its octets are written as.
TEST(Base64, HasOneTextForEachOctetString) {
  constexpr std::string_view kAlphabet = "ABgQwz09+/-_=\n \x80";
  for (const Base64 form : kForms) {
    std::string text(4, 'A');
    for (const char a : kAlphabet) {
      for (const char b : kAlphabet) {
        for (const char c : kAlphabet) {
          for (const char d : kAlphabet) {
            text = {a, b, c, d};
            const Result<std::string> octets = decode(text, form);
            EXPECT_TRUE(!octets || encode(*octets, form) == text) << text;
          }
        }
      }
    }
  }
}

TEST(Base64, IsRefusedWhenNotStrict) {
  for (const std::string_view text :
       {"Z"sv,    "Zg"sv,       "Zg="sv,    "Zg==="sv, "Zm8"sv,      "Zm8=="sv,  "Zm9v="sv, "Zm9v===="sv,
        "===="sv, "="sv,        "Z==="sv,   "=Zg="sv,  "Zg==Zg=="sv, "Zm=v"sv,   "Zh=="sv,  "Zm9="sv,
        "Zm 9"sv, "Zg==\r\n"sv, "\nZm9v"sv, "Zm9\0"sv, "Zm9\x80"sv,  "Zm9\xff"sv}) {
    EXPECT_EQ(decode(text).error(), Errc::bad_base64) << text;
  }
  for (const std::string_view text : {"Z"sv, "Zg=="sv, "Zm8="sv, "Zh"sv, "Zm9"sv, "Zm9vZ"sv, "Zm 9"sv, "Zg="sv}) {
    EXPECT_EQ(decode(text, Base64::url_unpadded).error(), Errc::bad_base64) << text;
  }
}

TEST(Base64, GoesIntoRoomOfTheCaller) {
  char room[8];
  EXPECT_EQ(encode_base64("fooba", room), 8U);
  EXPECT_EQ(std::string_view(room, 8), "Zm9vYmE=");
  char octets[6];
  EXPECT_EQ(decode_base64("Zm9vYmE=", octets), 5U);
  EXPECT_EQ(std::string_view(octets, 5), "fooba");
}

}  // namespace
}  // namespace pipette
