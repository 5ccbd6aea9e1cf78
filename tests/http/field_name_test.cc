#include "pipette/http/field_name.h"

#include <cctype>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "pipette/base/ascii.h"

#include "tests/support/splits.h"

namespace pipette::http {
namespace {

FieldName intern_exactly(std::string_view name) { return intern(test::ExactBlock(name).octets()); }

template <class F>
void for_each_name(F&& f) {
  for (std::size_t i = 1; i < kFieldNameCount; ++i) f(static_cast<FieldName>(i), std::string(kFieldNames[i]));
}

std::string in_lower_case(std::string text) {
  for (char& c : text) c = ascii::to_lower(c);
  return text;
}

std::string in_upper_case(std::string text) {
  for (char& c : text) c = ascii::is_alpha(c) ? static_cast<char>(c & ~0x20) : c;
  return text;
}

TEST(FieldName, IsInternedInAnyCase) {
  for_each_name([](FieldName id, const std::string& name) {
    EXPECT_EQ(intern_exactly(name), id) << name;
    EXPECT_EQ(intern_exactly(in_lower_case(name)), id) << name;
    EXPECT_EQ(intern_exactly(in_upper_case(name)), id) << name;
    std::string alternating = in_lower_case(name);
    for (std::size_t i = 0; i < alternating.size(); i += 2) {
      if (ascii::is_alpha(alternating[i])) alternating[i] = static_cast<char>(alternating[i] & ~0x20);
    }
    EXPECT_EQ(intern_exactly(alternating), id) << alternating;
  });
}

TEST(FieldName, GivesBackItsSpelling) {
  for_each_name([](FieldName id, const std::string& name) { EXPECT_EQ(to_string(id), name); });
  EXPECT_EQ(to_string(FieldName::other), "");
  EXPECT_EQ(to_string(FieldName::www_authenticate), "WWW-Authenticate");
  EXPECT_EQ(to_string(FieldName::x_request_id), "X-Request-ID");
  EXPECT_EQ(to_string(FieldName::content_length), "Content-Length");
}

TEST(FieldName, AreAllTokensAndAllDifferent) {
  std::set<std::string> names;
  for_each_name([&](FieldName, const std::string& name) {
    EXPECT_TRUE(ascii::is_token(name)) << name;
    EXPECT_TRUE(names.insert(in_lower_case(name)).second) << name;
  });
}

// '-' differs from CR by the case bit, '@' from '`', and so on: none of them may pass for the other.
TEST(FieldName, IsOtherWhenOneOctetIsAnother) {
  for_each_name([](FieldName id, const std::string& name) {
    for (std::size_t place = 0; place < name.size(); ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string near = name;
        near[place] = static_cast<char>(octet);
        const bool is_same = ascii::equal_ignoring_case(near, name);
        const FieldName found = intern_exactly(near);
        if (is_same) {
          EXPECT_EQ(found, id) << near;
        } else {
          EXPECT_NE(found, id) << name << " with octet " << octet << " at " << place;
          EXPECT_TRUE(found == FieldName::other || ascii::equal_ignoring_case(to_string(found), near)) << near;
        }
      }
    }
  });
}

TEST(FieldName, IsOtherWhenOneOctetIsMissingOrTooMany) {
  for_each_name([](FieldName, const std::string& name) {
    for (std::size_t place = 0; place <= name.size(); ++place) {
      for (const char extra : {'a', '-', ' ', '\0', ':'}) {
        const std::string longer = std::string(name).insert(place, 1, extra);
        const FieldName found = intern_exactly(longer);
        EXPECT_TRUE(found == FieldName::other || ascii::equal_ignoring_case(to_string(found), longer)) << longer;
      }
      if (place == name.size()) continue;
      const std::string shorter = std::string(name).erase(place, 1);
      const FieldName found = intern_exactly(shorter);
      EXPECT_TRUE(found == FieldName::other || ascii::equal_ignoring_case(to_string(found), shorter)) << shorter;
    }
  });
}

TEST(FieldName, IsOtherForWhatIsNotInTheTable) {
  for (const std::string_view name : {"", "a", "X", "X-Api-Key", "Content_Length", "Transfer-Encodinġ", "Hos", "Hosts",
                                      "proxy-authorization-and-more", "a-name-longer-than-any-that-is-interned"}) {
    EXPECT_EQ(intern_exactly(name), FieldName::other) << name;
  }
  EXPECT_EQ(intern({}), FieldName::other);
}

std::string canonical(std::string_view name) {
  std::string out = "kept ";
  append_canonical_name(test::ExactBlock(name).octets(), out);
  EXPECT_TRUE(out.starts_with("kept "));
  return out.substr(5);
}

// One octet after the other.
std::string canonical_slowly(const std::string& name) {
  if (intern(name) != FieldName::other) return std::string(to_string(intern(name)));
  if (!ascii::is_token(name)) return name;
  std::string spelled;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_first = i == 0 || name[i - 1] == '-';
    spelled += is_first ? in_upper_case(name.substr(i, 1)) : in_lower_case(name.substr(i, 1));
  }
  return spelled;
}

TEST(CanonicalName, IsTheUsualSpelling) {
  struct Case {
    const char* name;
    const char* spelled;
  };
  for (const auto& [name, spelled] :
       {Case{"host", "Host"}, Case{"ETAG", "ETag"}, Case{"www-authenticate", "WWW-Authenticate"}, Case{"te", "TE"},
        Case{"x-api-key", "X-Api-Key"}, Case{"X-API-KEY", "X-Api-Key"}, Case{"--a--B", "--A--B"},
        Case{"a_B-c.D", "A_b-C.d"}, Case{"x-9to5", "X-9to5"},
        Case{"user-agent-host-content-type-content-length", "User-Agent-Host-Content-Type-Content-Length"},
        Case{"X-LONG-NAME_WITH-OTHER~TOKEN*OCTETS", "X-Long-Name_with-Other~token*octets"}, Case{"", ""}}) {
    EXPECT_EQ(canonical(name), spelled);
  }
  for_each_name([](FieldName, const std::string& name) { EXPECT_EQ(canonical(in_upper_case(name)), name); });
}

TEST(CanonicalName, IsLeftAloneWhereItIsNoToken) {
  for (const std::string_view name :
       {"a b", "x-api-key:", "x-api-key ", " x-api-key", "a\rb", "\xc3\xa9-a", "host\n",
        "user-agent-host-content-type content-length", "a-name-of-some-length-and-a\x80"}) {
    EXPECT_EQ(canonical(name), name);
  }
}

// Every octet at every place of names around the sizes of blocks.
TEST(CanonicalName, IsTheSameAsOctetByOctet) {
  for (const std::size_t size : {1U, 2U, 7U, 8U, 15U, 16U, 17U, 31U, 32U, 33U, 50U}) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string name;
        for (std::size_t i = 0; i < size; ++i) name += "xY-z9-"[i % 6];
        name[place] = static_cast<char>(octet);
        ASSERT_EQ(canonical(name), canonical_slowly(name)) << "octet " << octet << " at " << place << " of " << size;
      }
    }
  }
}

}  // namespace
}  // namespace pipette::http
