// The fast scans against the plain ones: each octet at each place of inputs of many sizes, each in a block of exactly
// its size.
#include "pipette/http/internal/scan.h"

#include <gtest/gtest.h>
#include <string>

#include "pipette/base/random.h"

#include "tests/support/splits.h"

namespace pipette::http::internal {
namespace {

using Skip = const char* (*)(const char*, const char*);

void expect_the_same_everywhere(Skip fast, Skip plain, char ordinary) {
  for (std::size_t size = 0; size <= 41; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string octets(size, ordinary);
        octets[place] = static_cast<char>(octet);
        const test::ExactBlock block(octets);
        const char* const begin = block.octets().data();
        const char* const end = begin + size;
        ASSERT_EQ(fast(begin, end) - begin, plain(begin, end) - begin)
            << "octet " << octet << " at " << place << " of " << size;
      }
    }
  }
}

TEST(Scan, SkipsValuesAsThePlainScanDoes) { expect_the_same_everywhere(skip_value, skip_value_portable, 'v'); }

TEST(Scan, SkipsTargetsAsThePlainScanDoes) { expect_the_same_everywhere(skip_target, skip_target_portable, '/'); }

TEST(Scan, SkipsNothingOfNothing) {
  const test::ExactBlock block("");
  const char* const begin = block.octets().data();
  EXPECT_EQ(skip_value(begin, begin), begin);
  EXPECT_EQ(skip_target(begin, begin), begin);
  EXPECT_EQ(skip_token(begin, begin), begin);
}

TEST(Scan, StopsATokenAtTheFirstOctetThatIsNone) {
  const std::string text = "Content-Length: 5";
  EXPECT_EQ(skip_token(text.data(), text.data() + text.size()) - text.data(), 14);
}

void expect_the_same_marks(std::string_view octets) {
  ASSERT_EQ(octets.size(), kMarkedBytes);
  const test::ExactBlock block(octets);
  Marks fast;
  Marks plain;
  mark(block.octets().data(), fast);
  mark_portable(block.octets().data(), plain);
  for (std::size_t i = 0; i < kMarkWords; ++i) {
    EXPECT_EQ(fast.unprintables[i], plain.unprintables[i]) << "word " << i;
    EXPECT_EQ(fast.colons[i], plain.colons[i]) << "word " << i;
  }
}

TEST(Marks, AreThoseOfThePlainScan) {
  std::string all;
  for (std::size_t i = 0; i < kMarkedBytes; ++i) all += static_cast<char>(i);
  for (std::size_t turn = 0; turn < kMarkedBytes; ++turn) {
    expect_the_same_marks(all);
    all = all.substr(1) + all[0];
  }
}

TEST(Marks, OfThePlainScanAreWhatIsNoPrintableAsciiAndTheColons) {
  std::string all;
  for (std::size_t i = 0; i < kMarkedBytes; ++i) all += static_cast<char>(i);
  Marks marks;
  mark_portable(all.data(), marks);
  for (std::size_t i = 0; i < kMarkedBytes; ++i) {
    const bool is_unprintable = (marks.unprintables[i / 64] >> (i % 64) & 1) != 0;
    const bool is_colon = (marks.colons[i / 64] >> (i % 64) & 1) != 0;
    EXPECT_EQ(is_unprintable, i < 0x20 || i > 0x7e) << i;
    EXPECT_EQ(is_colon, all[i] == ':') << i;
  }
}

TEST(Marks, AreTheSameForRandomOctets) {
  Random random(1, "marks");
  for (int round = 0; round < 1000; ++round) {
    std::string octets;
    for (std::size_t i = 0; i < kMarkedBytes; ++i) octets += static_cast<char>(random.below(256));
    expect_the_same_marks(octets);
  }
}

TEST(Marks, EndWhatIsShorterThanAWindow) {
  for (std::size_t size = 0; size < kMarkedBytes; ++size) {
    const test::ExactBlock block(std::string(size, ':'));
    Marks marks;
    mark_until(block.octets().data(), block.octets().data() + size, marks);
    EXPECT_EQ(first_mark(marks.unprintables, 0), size);
    EXPECT_EQ(first_mark(marks.colons, 0), size == 0 ? kMarkedBytes : 0);
  }
}

TEST(Marks, AreFoundFromAnyPlaceOn) {
  std::uint64_t words[kMarkWords] = {};
  EXPECT_EQ(first_mark(words, 0), kMarkedBytes);
  words[1] = std::uint64_t{1} << 5;
  words[3] = std::uint64_t{1} << 63;
  EXPECT_EQ(first_mark(words, 0), 69U);
  EXPECT_EQ(first_mark(words, 69), 69U);
  EXPECT_EQ(first_mark(words, 70), 255U);
  EXPECT_EQ(first_mark(words, 255), 255U);
}

}  // namespace
}  // namespace pipette::http::internal
