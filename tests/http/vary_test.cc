#include "pipette/http/vary.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/printers.h"

namespace pipette::http {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

OwnedFields fields(const Pairs& pairs) {
  OwnedFields owned;
  for (const auto& [name, value] : pairs) EXPECT_TRUE(owned.add(name, value)) << name;
  return owned;
}

TEST(AddVary, AddsEachNameOnce) {
  struct Row {
    Pairs before;
    std::string_view name, after;
  };
  const Row kRows[] = {
      {{}, "Accept", "Accept"},
      {{}, "*", "*"},
      {{{"Vary", ""}}, "Accept", "Accept"},
      {{{"Vary", "Origin"}}, "Accept", "Origin, Accept"},
      {{{"Vary", "Origin"}}, "origin", "Origin"},
      {{{"Vary", "b , ,a"}}, "c", "b, a, c"},
      {{{"Vary", "a"}, {"vary", "b"}}, "c", "a, b, c"},
      {{{"Vary", "Origin"}}, "*", "*"},
      {{{"Vary", "*"}}, "Accept", "*"},
      {{{"Vary", "*"}}, "*", "*"},
      {{{"Vary", "a-b"}}, "a", "a-b, a"},
  };
  for (const Row& row : kRows) {
    OwnedFields response = fields(row.before);
    EXPECT_TRUE(add_vary(response, row.name));
    EXPECT_EQ(response.get(FieldName::vary), row.after);
    EXPECT_EQ(response.size(), 1U);
  }
}

TEST(AddVary, RefusesWhatIsNoName) {
  for (const std::string_view name : {"", "a b", "a,b", "a\r\nX: y"}) {
    OwnedFields response = fields({{"Vary", "Origin"}});
    EXPECT_EQ(add_vary(response, name).error(), Errc::bad_field_name) << name;
    EXPECT_EQ(response.get(FieldName::vary), "Origin");
  }
  OwnedFields response = fields({{"Vary", "\""}});
  EXPECT_EQ(add_vary(response, "a").error(), Errc::bad_field_list);
}

TEST(VaryMatches, ComparesTheFieldsThatAreNamed) {
  struct Row {
    Pairs response, original, request;
    bool is_match;
  };
  const Row kRows[] = {
      {{}, {{"X", "1"}}, {{"X", "2"}}, true},
      {{{"Vary", ""}}, {{"X", "1"}}, {{"X", "2"}}, true},
      {{{"Vary", "X"}}, {{"X", "1"}}, {{"x", "1"}}, true},
      {{{"Vary", "x"}}, {{"X", "1"}}, {{"X", "2"}}, false},
      {{{"Vary", "X"}}, {{"X", "1"}}, {}, false},
      {{{"Vary", "X"}}, {}, {{"X", "1"}}, false},
      {{{"Vary", "X"}}, {}, {}, true},
      {{{"Vary", "X"}}, {{"X", "a"}}, {{"X", "A"}}, false},
      {{{"Vary", "X"}}, {{"X", "1"}, {"X", "2"}}, {{"X", "1"}, {"Y", "0"}, {"X", "2"}}, true},
      {{{"Vary", "X"}}, {{"X", "1"}, {"X", "2"}}, {{"X", "2"}, {"X", "1"}}, false},
      {{{"Vary", "X"}}, {{"X", "1"}, {"X", "2"}}, {{"X", "1"}}, false},
      {{{"Vary", "X"}}, {{"X", "1"}}, {{"X", "1"}, {"X", "1"}}, false},
      {{{"Vary", "X"}}, {{"X", "1,2"}}, {{"X", "1, 2"}}, false},  // what white space means in X is not known
      {{{"Vary", "X, Y"}}, {{"X", "1"}, {"Y", "2"}}, {{"Y", "2"}, {"X", "1"}}, true},
      {{{"Vary", "X"}, {"Vary", "Y"}}, {{"X", "1"}, {"Y", "2"}}, {{"X", "1"}, {"Y", "3"}}, false},
      {{{"Vary", "*"}}, {}, {}, false},
      {{{"Vary", "X, *"}}, {{"X", "1"}}, {{"X", "1"}}, false},
      {{{"Vary", "\""}}, {}, {}, false},
      {{{"Vary", "X Y"}}, {}, {}, false},
  };
  for (const Row& row : kRows) {
    const OwnedFields response = fields(row.response);
    EXPECT_EQ(vary_matches(response.view(), fields(row.original).view(), fields(row.request).view()), row.is_match)
        << response.get(FieldName::vary).value_or("(none)");
  }
}

TEST(VaryMatches, IgnoresHowAcceptFieldsAreSpreadOverLines) {
  const OwnedFields response = fields({{"Vary", "Accept-Encoding"}});
  const auto matches = [&](const Pairs& original, const Pairs& request) {
    return vary_matches(response.view(), fields(original).view(), fields(request).view());
  };
  const Pairs original = {{"Accept-Encoding", "gzip, br;q=0.5"}};
  EXPECT_TRUE(matches(original, {{"Accept-Encoding", "gzip,br;q=0.5"}}));
  EXPECT_TRUE(matches(original, {{"Accept-Encoding", " gzip\t,, br;q=0.5 ,"}}));
  EXPECT_TRUE(matches(original, {{"Accept-Encoding", "gzip"}, {"accept-encoding", "br;q=0.5"}}));
  EXPECT_FALSE(matches(original, {{"Accept-Encoding", "br;q=0.5, gzip"}}));
  EXPECT_FALSE(matches(original, {{"Accept-Encoding", "gzip"}}));
  EXPECT_FALSE(matches(original, {{"Accept-Encoding", "gzip, br;q=0.5, zstd"}}));
  EXPECT_FALSE(matches(original, {}));
  EXPECT_FALSE(matches({}, {{"Accept-Encoding", ""}})) << "empty is not absent";
  EXPECT_TRUE(matches({{"Accept-Encoding", "\"a"}}, {{"Accept-Encoding", "\"a"}})) << "malformed, but the same";
  EXPECT_FALSE(matches({{"Accept-Encoding", "\"a,b"}}, {{"Accept-Encoding", "\"a, b"}}));
}

}  // namespace
}  // namespace pipette::http
