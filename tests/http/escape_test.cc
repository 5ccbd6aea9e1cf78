#include "pipette/http/escape.h"

#include <gtest/gtest.h>
#include <string>

namespace pipette::http {
namespace {

std::string escaped(std::string_view text) {
  std::string out = "kept ";
  append_html_escaped(text, out);
  EXPECT_TRUE(out.starts_with("kept "));
  return out.substr(5);
}

// One octet after the other, straight from the table of what is escaped.
std::string escaped_slowly(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

TEST(HtmlEscape, WritesTheFiveOctetsThatMeanSomethingAsReferences) {
  EXPECT_EQ(escaped("<b>\"Tom\" & 'Jerry'</b>"), "&lt;b&gt;&#34;Tom&#34; &amp; &#39;Jerry&#39;&lt;/b&gt;");
  EXPECT_EQ(escaped("&amp;"), "&amp;amp;");
  EXPECT_EQ(escaped(""), "");
}

TEST(HtmlEscape, LeavesEveryOtherOctet) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text(1, static_cast<char>(octet));
    EXPECT_EQ(escaped(text), escaped_slowly(text)) << "octet " << octet;
  }
}

TEST(HtmlEscape, HoldsAtEveryLength) {
  for (std::size_t size = 0; size < 1100; ++size) {
    std::string plain(size, 'x');
    ASSERT_EQ(escaped(plain), plain);
    ASSERT_EQ(escaped(std::string(size, '"')), escaped_slowly(std::string(size, '"')));
    if (size == 0) continue;
    plain.back() = '<';
    plain.front() = '>';
    ASSERT_EQ(escaped(plain), escaped_slowly(plain));
  }
}

}  // namespace
}  // namespace pipette::http
