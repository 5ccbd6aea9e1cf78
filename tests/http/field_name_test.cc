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

}  // namespace
}  // namespace pipette::http
