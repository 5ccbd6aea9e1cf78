#include "pipette/coding/encoder.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/base/random.h"
#include "pipette/coding/decoder.h"

#include "tests/support/coding.h"
#include "tests/support/printers.h"

namespace pipette::coding {
namespace {

using namespace std::string_view_literals;

using test::decode;
using test::encode;
using test::encode_piece;

std::string noise(std::size_t size) {
  Random random(7);
  std::string octets;
  while (octets.size() < size) octets += static_cast<char>(random.below(256));
  return octets;
}

const std::vector<std::string>& contents() {
  static const std::vector<std::string> kContents = {"", "a", "Pipettes and pipettes and pipettes.\n",
                                                     std::string(200'000, 'x'), noise(100'000)};
  return kContents;
}

TEST(Encoder, WritesWhatADecoderReads) {
  for (const Coding coding : {Coding::gzip, Coding::deflate}) {
    for (const std::string& content : contents()) {
      for (const int level : {0, 1, 6, 9}) {
        const std::string octets = encode(content, coding, level);
        EXPECT_EQ(decode({octets}, name_of(coding)).data, content) << name_of(coding) << " level " << level;
        EXPECT_LT(octets.size(), content.size() + content.size() / 500 + 100);
      }
    }
  }
}

TEST(Encoder, WritesSmallerAsTheLevelRises) {
  std::string text;
  Random random(3);
  while (text.size() < 50'000) text += "word" + std::to_string(random.below(500)) + ' ';
  EXPECT_GT(encode(text, Coding::gzip, 0).size(), text.size());
  EXPECT_GT(encode(text, Coding::gzip, 1).size(), encode(text, Coding::gzip, 9).size());
}

TEST(Encoder, SaysNeitherNameNorTime) {
  EXPECT_TRUE(encode("a", Coding::gzip).starts_with("\x1f\x8b\x08\0\0\0\0\0"sv));
  EXPECT_TRUE(encode("a", Coding::deflate).starts_with("\x78"));
}

TEST(Encoder, WritesTheSameIntoAnyRoom) {
  for (const std::string& content : contents()) {
    const auto write = [&](std::size_t room) {
      Encoder encoder(Coding::gzip);
      std::string octets = encode_piece(encoder, content, Then::go_on, room);
      octets += encode_piece(encoder, content, Then::flush, room);
      octets += encode_piece(encoder, content, Then::finish, room);
      return octets;
    };
    const std::string octets = write(4096);
    EXPECT_EQ(decode({octets}, "gzip").data, content + content + content);
    for (const std::size_t room : {1U, 2U, 5U, 6U, 4095U, 4097U, 1U << 20}) EXPECT_EQ(write(room), octets) << room;
  }
}

TEST(Encoder, FlushesAllThatItHasBeenGiven) {
  for (const Coding coding : {Coding::gzip, Coding::deflate}) {
    Encoder encoder(coding);
    Decoder decoder = *Decoder::from(name_of(coding));
    for (const std::string& content : contents()) {
      const std::string octets = encode_piece(encoder, content, Then::flush, 3);
      std::vector<char> room(content.size() + 1);
      const Result<Step> step = decoder.next(octets, room);
      ASSERT_TRUE(step);
      EXPECT_EQ(std::string_view(room.data(), step->produced), content);
      EXPECT_FALSE(step->is_complete && !content.empty());
    }
    EXPECT_EQ(encode_piece(encoder, "", Then::flush), "");
    std::vector<char> room(1);
    EXPECT_TRUE(decoder.next(encode_piece(encoder, "", Then::finish), room)->is_complete);
    EXPECT_EQ(encode_piece(encoder, "", Then::finish), "");
  }
}

TEST(Encoder, KeepsContentUntilThereIsMuchOfIt) {
  Encoder encoder(Coding::deflate);
  EXPECT_LE(encode_piece(encoder, "Pipettes", Then::go_on).size(), 2U);
  EXPECT_GT(encode_piece(encoder, noise(100'000), Then::go_on).size(), 50'000U);
}

TEST(Encoder, CanBeMoved) {
  Encoder first(Coding::gzip);
  std::string octets = encode_piece(first, "Pipe", Then::flush);
  Encoder second = std::move(first);
  octets += encode_piece(second, "ttes", Then::finish);
  EXPECT_EQ(decode({octets}, "gzip").data, "Pipettes");
}

}  // namespace
}  // namespace pipette::coding
