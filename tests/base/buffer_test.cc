#include "pipette/base/buffer.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "pipette/base/poison.h"
#include "pipette/base/random.h"

namespace pipette {
namespace {

bool is_poisoned([[maybe_unused]] const char* octet) {
#if defined(PIPETTE_ASAN)
  return __asan_address_is_poisoned(octet) != 0;
#else
  return false;
#endif
}

TEST(Buffer, StartsEmptyAndWithoutMemory) {
  const Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.readable(), "");
}

TEST(Buffer, TakesTheCapacityItIsGiven) {
  Buffer buffer(1000);
  EXPECT_EQ(buffer.capacity(), 1000U);
  EXPECT_EQ(buffer.writable(1).size(), 1000U);
}

TEST(Buffer, ReadsWhatWasCommitted) {
  Buffer buffer;
  const MutableBytes room = buffer.writable(3);
  ASSERT_GE(room.size(), 3U);
  room[0] = 'a';
  room[1] = 'b';
  room[2] = 'c';
  buffer.commit(2);
  EXPECT_EQ(buffer.readable(), "ab");
}

TEST(Buffer, AppendsInOrder) {
  Buffer buffer;
  buffer.append("ab");
  buffer.append("");
  buffer.append("cd");
  EXPECT_EQ(buffer.readable(), "abcd");
}

TEST(Buffer, ConsumesFromTheFront) {
  Buffer buffer;
  buffer.append("abcd");
  buffer.consume(0);
  buffer.consume(3);
  EXPECT_EQ(buffer.readable(), "d");
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, TruncatesAtTheBack) {
  Buffer buffer;
  buffer.append("abcdef");
  buffer.consume(1);
  buffer.truncate(2);
  EXPECT_EQ(buffer.readable(), "bc");
  buffer.append("x");
  EXPECT_EQ(buffer.readable(), "bcx");
}

TEST(Buffer, KeepsViewsGoodWhileConsuming) {
  Buffer buffer(64);
  buffer.append("abcdefgh");
  const Bytes tail = buffer.readable().substr(4);
  buffer.consume(4);
  EXPECT_EQ(buffer.readable().data(), tail.data());
  EXPECT_EQ(tail, "efgh");
}

TEST(Buffer, GivesTheWholeCapacityAgainOnceAllIsConsumed) {
  Buffer buffer(64);
  buffer.append(std::string(40, 'x'));
  buffer.consume(40);
  EXPECT_EQ(buffer.writable(1).size(), 64U);
  EXPECT_EQ(buffer.capacity(), 64U);
}

TEST(Buffer, CompactsInsteadOfGrowingWhenThatFreesEnough) {
  Buffer buffer(64);
  buffer.append(std::string(60, 'x') + "tail");
  buffer.consume(60);
  EXPECT_GE(buffer.writable(32).size(), 32U);
  EXPECT_EQ(buffer.capacity(), 64U);
  EXPECT_EQ(buffer.readable(), "tail");
}

TEST(Buffer, GrowsByMoreThanAStepSoThatAppendingIsLinear) {
  Buffer buffer;
  int growths = 0;
  for (int i = 0; i < 1 << 16; ++i) {
    const std::size_t before = buffer.capacity();
    buffer.append("x");
    growths += buffer.capacity() != before ? 1 : 0;
  }
  EXPECT_EQ(buffer.size(), std::size_t{1} << 16);
  EXPECT_LE(growths, 16);
}

TEST(Buffer, ReleaseGivesTheMemoryBack) {
  Buffer buffer;
  buffer.append("abc");
  buffer.consume(1);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_TRUE(buffer.empty());
  buffer.append("again");
  EXPECT_EQ(buffer.readable(), "again");
}

TEST(Buffer, MovesItsMemoryAndLeavesTheOtherEmpty) {
  Buffer from;
  from.append("abc");
  const char* const octets = from.readable().data();
  Buffer to = std::move(from);
  EXPECT_EQ(to.readable().data(), octets);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): a moved-from buffer is empty
  EXPECT_EQ(from.capacity(), 0U);

  Buffer third;
  third.append("other");
  third = std::move(to);
  EXPECT_EQ(third.readable(), "abc");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Buffer, PoisonsConsumedOctetsUntilTheyAreRoomAgain) {
  if (!kPoisons) GTEST_SKIP() << "needs AddressSanitizer";
  Buffer buffer(64);
  buffer.append(std::string(64, 'x'));
  const char* const octets = buffer.readable().data();
  buffer.consume(32);
  EXPECT_TRUE(is_poisoned(octets));
  EXPECT_TRUE(is_poisoned(octets + 31));
  EXPECT_FALSE(is_poisoned(octets + 32));
  buffer.writable(16);
  EXPECT_FALSE(is_poisoned(buffer.readable().data()));
  EXPECT_FALSE(is_poisoned(buffer.readable().data() + 63));
}

TEST(Buffer, BehavesLikeAStringUnderAnyOperations) {
  Random random(1, "buffer");
  Buffer buffer;
  std::string model;
  for (int i = 0; i < 20'000; ++i) {
    if (random.below(2) == 0) {
      const std::string octets(random.below(100), static_cast<char>('a' + i % 26));
      buffer.append(octets);
      model += octets;
    } else {
      const std::size_t count = random.below(model.size() + 1);
      buffer.consume(count);
      model.erase(0, count);
    }
    ASSERT_EQ(buffer.readable(), model);
  }
}

}  // namespace
}  // namespace pipette
