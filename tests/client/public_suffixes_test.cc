#include "pipette/client/public_suffixes.h"

#include <gtest/gtest.h>

namespace pipette::client {
namespace {

// Rules that have been in the list for ten years and more, so that no version of it fails here.
TEST(BuiltinPublicSuffixes, HasTheSuffixesOfRegistriesAndOfHostingCompanies) {
  struct Row {
    std::string_view domain;
    bool is_suffix;
  };
  for (const Row& row : {
           Row{"co.uk", true},
           {"example.co.uk", false},
           {"www.example.co.uk", false},
           {"example.com", false},
           {"github.io", true},
           {"someone.github.io", false},
           {"com", true},
           {"no-such-suffix", true},
           {"example.no-such-suffix", false},
           {"any.ck", true},   // *.ck
           {"www.ck", false},  // !www.ck
           {"xn--55qx5d.cn", true},
           {"example.xn--55qx5d.cn", false},
       }) {
    EXPECT_EQ(builtin_public_suffixes().contains(row.domain), row.is_suffix) << row.domain;
  }
}

}  // namespace
}  // namespace pipette::client
