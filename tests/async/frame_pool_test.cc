#include "pipette/async/frame_pool.h"

#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "pipette/base/poison.h"

namespace pipette::async {
namespace {

constexpr std::size_t kSizes[] = {1, 63, 64, 65, 128, 1000, 2047, 2048, 2049, 100'000};

TEST(FramePool, GivesRoomForEachSize) {
  for (const std::size_t size : kSizes) {
    void* frame = allocate_frame(size);
    ASSERT_NE(frame, nullptr) << size;
    std::memset(frame, 0xab, size);
    free_frame(frame, size);
  }
}

TEST(FramePool, FramesAreAlignedForAnything) {
  for (const std::size_t size : kSizes) {
    void* frame = allocate_frame(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % alignof(std::max_align_t), 0U);
    free_frame(frame, size);
  }
}

TEST(FramePool, RecyclesAFrameOfTheSameClass) {
  if (kPoisons) GTEST_SKIP() << "under AddressSanitizer a dead frame stays dead";
  void* frame = allocate_frame(100);
  free_frame(frame, 100);
  void* again = allocate_frame(128);
  EXPECT_EQ(again, frame);
  free_frame(again, 128);
}

TEST(FramePool, DoesNotGiveASmallFrameToALargerRequest) {
  if (kPoisons) GTEST_SKIP() << "under AddressSanitizer a dead frame stays dead";
  void* small = allocate_frame(64);
  free_frame(small, 64);
  void* large = allocate_frame(65);
  EXPECT_NE(large, small);
  free_frame(large, 65);
}

TEST(FramePool, NeverGivesOneFrameTwice) {
  std::vector<char*> frames;
  for (int round = 0; round < 2; ++round) {
    for (char i = 0; i < 100; ++i) {
      frames.push_back(static_cast<char*>(allocate_frame(64)));
      std::memset(frames.back(), i, 64);
    }
    for (char i = 0; i < 100; ++i) {
      char* frame = frames[static_cast<std::size_t>(i)];
      EXPECT_EQ(frame[0], i);
      EXPECT_EQ(frame[63], i);
      free_frame(frame, 64);
    }
    frames.clear();
  }
}

}  // namespace
}  // namespace pipette::async
