#include "pipette/coding/decoder.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/base/random.h"

#include "tests/support/coding.h"
#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::coding {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

using test::decode;
using test::Decoded;
using test::encode;

constexpr std::string_view kText = "Pipettes and pipettes and pipettes.\n";
const Decoded kBad{.data = {}, .error = Errc::bad_content_coding};

struct Sample {
  std::string_view codings;
  std::string octets;
  std::string text = std::string(kText);
};

// One block of `size` octets c: a bomb in four.
std::string zstd_run(std::size_t size, char c, bool is_last) {
  const std::size_t header = (is_last ? 1U : 0U) | 1U << 1 | size << 3;
  return {static_cast<char>(header), static_cast<char>(header >> 8), static_cast<char>(header >> 16), c};
}

std::string zstd_head(unsigned window_log) { return "\x28\xb5\x2f\xfd\0"s + static_cast<char>((window_log - 10) << 3); }

// What other programs have written, and what no program would: every form that a decoder reads.
const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples = {
      // Python's gzip, with a time and a name.
      {"gzip",
       "\x1f\x8b\x08\x08\x80\x43\x6d\x38\x02\xff"
       "a.txt\0"
       "\x0b\xc8\x2c\x48\x2d\x29\x49\x2d\x56\x48\xcc\x4b\x51\x28\xc0\xc6\xd1\xe3\x02\x00"
       "\x3f\x91\x81\x30\x24\0\0\0"s},
      {"x-gzip", encode(kText, Coding::gzip, 0)},
      {"deflate", encode(kText, Coding::deflate)},
      // Without a header: Python's zlib with wbits=-15.
      {"deflate", "\x0b\xc8\x2c\x48\x2d\x29\x49\x2d\x56\x48\xcc\x4b\x51\x28\xc0\xc6\xd1\xe3\x02\x00"s},
      // A stored block that is not the last, and an empty one that is.
      {"deflate", "\0\x24\0\xdb\xff"s + std::string(kText) + "\x01\0\0\xff\xff"s},
      {"br",
       "\x1b\x23\x00\xf8\x8d\x94\xaa\xdb\xa3\x56\x80\x4a\x83\x93\x74\x65\x2e\x29\x49\x2d\xcb\x54\x03\xe6\xc4\x9e"
       "\xc9\x4e\x00"s},
      {"br", "\x06", ""},
      {"zstd",
       "\x28\xb5\x2f\xfd\x04\x68\xb5\x00\x00\x80\x50\x69\x70\x65\x74\x74\x65\x73\x20\x61\x6e\x64\x20\x70\x2e\x0a"
       "\x01\x00\x40\x4f\x25\x65\xdf\xe8\x3b"s},
      {"zstd", zstd_head(20) + zstd_run(300, 'a', false) + zstd_run(3, 'b', true), std::string(300, 'a') + "bbb"},
      {"gzip, deflate", encode(encode(kText, Coding::gzip), Coding::deflate)},
      {"deflate,identity , ,gzip,gzip", encode(encode(encode(kText, Coding::deflate), Coding::gzip), Coding::gzip)},
      {"", std::string(kText)},
  };
  return kSamples;
}

TEST(Decoder, DecodesEveryForm) {
  for (const Sample& sample : samples()) {
    const Decoded decoded = decode({sample.octets}, sample.codings);
    EXPECT_EQ(decoded.error, std::nullopt) << sample.codings;
    EXPECT_EQ(decoded.data, sample.text) << sample.codings;
  }
}

TEST(Decoder, IsMadeOfTheNamesOfCodings) {
  for (const std::string_view codings : {"", "identity", " , Identity,", "gzip", "X-GZip", "DEFLATE", "bR", "\tzstd ",
                                         "gzip,gzip,br,zstd", "identity,gzip,identity,gzip,,gzip,gzip"}) {
    EXPECT_TRUE(Decoder::from(codings)) << codings;
  }
  for (const std::string_view codings : {"compress", "gzi", "gzipp", "gzip;q=1", "gzip deflate", "gzip,brotli",
                                         "\"gzip\"", "*", "gzip,gzip,br,zstd,deflate"}) {
    const Result<Decoder> decoder = Decoder::from(codings);
    ASSERT_FALSE(decoder) << codings;
    EXPECT_EQ(decoder.error(), Errc::unknown_content_coding) << codings;
  }
  EXPECT_TRUE(Decoder::from("identity")->is_identity());
  EXPECT_FALSE(Decoder::from("identity, br")->is_identity());
}

TEST(Decoder, DecodesWhatItAsksFor) {
  EXPECT_TRUE(Decoder::from(kAccepted));
  for (const Coding coding : {Coding::gzip, Coding::deflate, Coding::brotli, Coding::zstd}) {
    EXPECT_EQ(coding_of(name_of(coding)), coding);
    EXPECT_TRUE((", "s + std::string(kAccepted) + ",").contains(" " + std::string(name_of(coding)) + ","));
  }
}

TEST(Decoder, GivesTheSameWhateverThePiecesAndTheRoom) {
  for (const Sample& sample : samples()) {
    const Decoded whole = decode({sample.octets}, sample.codings);
    for (const std::size_t room : {1U, 7U, 36U}) {
      test::for_each_split(sample.octets, [&](const test::Pieces& pieces) {
        ASSERT_EQ(decode(pieces, sample.codings, room), whole) << sample.codings << " room " << room;
      });
    }
  }
}

TEST(Decoder, GivesLargeContentThroughAnyRoom) {
  Random random(1);
  std::string content;
  while (content.size() < 100'000) content += std::string(random.below(50), static_cast<char>(random.below(256)));
  const std::string octets = encode(encode(content, Coding::deflate), Coding::gzip);
  for (const std::size_t room : {1U, 1000U, 1U << 20}) {
    EXPECT_EQ(decode({octets}, "deflate, gzip", room).data, content) << room;
    EXPECT_EQ(decode(test::one_by_one(octets), "deflate, gzip", room).data, content) << room;
  }
}

TEST(Decoder, KnowsContentThatWasCutShort) {
  for (const Sample& sample : samples()) {
    if (sample.codings.empty()) continue;
    for (std::size_t size = 1; size < sample.octets.size(); ++size) {
      const std::string_view octets = std::string_view(sample.octets).substr(0, size);
      EXPECT_EQ(decode({octets}, sample.codings), kBad) << sample.codings << " " << size;
      EXPECT_EQ(decode(test::one_by_one(octets), sample.codings, 1), kBad) << sample.codings << " " << size;
    }
  }
}

TEST(Decoder, TakesNoOctetsForNoContent) {
  for (const Sample& sample : samples()) {
    EXPECT_EQ(decode({}, sample.codings), Decoded()) << sample.codings;
    EXPECT_EQ(decode({"", ""}, sample.codings), Decoded()) << sample.codings;
  }
}

TEST(Decoder, NeverGivesOtherContentThanWasChecked) {
  for (const Sample& sample : samples()) {
    const bool is_checked = sample.codings.contains("gzip") || sample.octets.ends_with("\xdf\xe8\x3b");
    for (std::size_t bit = 0; bit < sample.octets.size() * 8; ++bit) {
      std::string octets = sample.octets;
      octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
      const Decoded decoded = decode({octets}, sample.codings, 4096, 300'000);
      EXPECT_EQ(decode(test::one_by_one(octets), sample.codings, 50, 300'000), decoded) << sample.codings << " " << bit;
      // What is left of a zstd frame when its bit for a checksum is gone is cut short, or too long.
      EXPECT_TRUE(!is_checked || decoded.error || decoded.data == sample.text) << sample.codings << " bit " << bit;
    }
  }
}

TEST(Decoder, RefusesWhatIsMalformed) {
  for (const Sample& sample : {
           Sample{"gzip", "x"},
           Sample{"gzip", std::string(kText)},
           Sample{"gzip", encode(kText, Coding::deflate)},
           Sample{"gzip", "\x1f\x8b\x07\0\0\0\0\0\0\x03"s},    // another method
           Sample{"gzip", "\x1f\x8b\x08\xe0\0\0\0\0\0\x03"s},  // flags of the future
           Sample{"deflate", encode(kText, Coding::gzip)},
           Sample{"deflate", "\x78\x9d"},             // the header's check
           Sample{"deflate", "\x78\xbb\0\0\0\x01"s},  // a dictionary
           Sample{"deflate", "\x07"},                 // blocks of the fourth kind
           Sample{"deflate", "\x01\x24\0\xda\xff"s},  // the length's complement
           Sample{"deflate", encode(kText, Coding::deflate) + encode(kText, Coding::deflate)},
           Sample{"br", "\x06\x06"},
           Sample{"br", "\x11"},  // a window of the large kind
           Sample{"br", std::string(kText)},
           Sample{"zstd", encode(kText, Coding::gzip)},
           Sample{"zstd", "\x28\xb5\x2f\xfe\0\x50"s},
           Sample{"zstd", "\x27\xb5\x2f\xfd\0\x50\x40\0\x03yes\xc0\0\0"s},  // whole, in the format of version 0.7
           Sample{"zstd", "\x28\xb5\x2f\xfd\x01\x50\x07"s},                 // a dictionary
           Sample{"zstd", zstd_head(20) + "\x07\0\0"s},                     // blocks of the fourth kind
           Sample{"deflate, gzip", encode(encode(kText, Coding::gzip), Coding::deflate)},
       }) {
    EXPECT_EQ(decode({sample.octets}, sample.codings), kBad) << sample.codings;
    EXPECT_EQ(decode(test::one_by_one(sample.octets), sample.codings, 1), kBad) << sample.codings;
  }
}

TEST(Decoder, GoesOnBehindMembersAndFrames) {
  const std::string gzip = encode(kText, Coding::gzip);
  const std::string zstd = zstd_head(10) + zstd_run(3, 'a', true);
  const std::string skipped = "\x5f\x2a\x4d\x18\x05\0\0\0skip!"s;
  for (const Sample& sample : {
           Sample{"gzip", gzip + gzip + gzip, std::string(kText) + std::string(kText) + std::string(kText)},
           Sample{"gzip", encode("", Coding::gzip) + gzip + encode("", Coding::gzip)},
           Sample{"zstd", zstd + zstd, "aaaaaa"},
           Sample{"zstd", skipped + zstd + skipped + zstd + skipped, "aaaaaa"},
           Sample{"zstd", skipped, ""},
       }) {
    test::for_each_split(sample.octets, [&](const test::Pieces& pieces) {
      const Decoded decoded = decode(pieces, sample.codings, 4);
      ASSERT_EQ(decoded.error, std::nullopt) << sample.codings;
      ASSERT_EQ(decoded.data, sample.text) << sample.codings;
    });
  }
}

TEST(Decoder, RefusesGarbageBehindTheEnd) {
  for (const Sample& sample : samples()) {
    if (sample.codings.empty()) continue;
    for (const std::string_view garbage :
         {"\0"sv, "x"sv, "\x1f"sv, "\x28"sv, "\x50"sv, "garbage"sv, "\0\0\0\0\0\0\0\0"sv}) {
      test::for_each_split(sample.octets + std::string(garbage), [&](const test::Pieces& pieces) {
        ASSERT_EQ(decode(pieces, sample.codings), kBad) << sample.codings << " behind it " << garbage;
      });
    }
  }
}

TEST(Decoder, LetsABombWaitForRoom) {
  constexpr std::size_t kSize = 2 << 20;
  std::string zstd = zstd_head(23);
  for (std::size_t size = 0; size < kSize; size += 1 << 16) zstd += zstd_run(1 << 16, '\0', size + (1 << 16) == kSize);
  const std::string zeros(kSize, '\0');
  for (const Sample& sample : {
           Sample{"gzip", encode(zeros, Coding::gzip, 9)},
           Sample{"gzip, gzip", encode(encode(zeros, Coding::gzip, 9), Coding::gzip, 9)},
           Sample{"deflate", encode(zeros, Coding::deflate, 9)},
           Sample{"br", "\x9f\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x0f"s},
           Sample{"zstd", zstd},
       }) {
    ASSERT_LT(sample.octets.size(), 10'000U);
    Decoder decoder = *Decoder::from(sample.codings);
    Bytes rest = sample.octets;
    std::vector<char> room(1000);
    const Result<Step> first = decoder.next(rest, room);
    ASSERT_TRUE(first) << sample.codings;
    EXPECT_EQ(first->produced, room.size());
    EXPECT_FALSE(first->is_complete);
    EXPECT_TRUE(decode({sample.octets}, sample.codings, 1 << 16, 1'000'000).is_cut) << sample.codings;
    EXPECT_GE(decode({sample.octets}, sample.codings, 1 << 16).data.size(), kSize) << sample.codings;
  }
}

TEST(Decoder, GivesUpOnWhatComesToNothing) {
  std::string idle;
  while (idle.size() < 2 * kMaxIdleBytes) idle += "\0\0\0\xff\xff"sv;  // an empty block
  idle += "\x01\0\0\xff\xff"sv;
  EXPECT_EQ(decode({idle}, "deflate"), Decoded());
  EXPECT_EQ(decode({encode(idle, Coding::gzip)}, "deflate, gzip"), kBad);
  EXPECT_EQ(decode({encode(encode(idle, Coding::gzip), Coding::gzip)}, "deflate, gzip, gzip"), kBad);

  std::string members;
  const std::string empty_member = encode("", Coding::gzip);
  while (members.size() < 2 * kMaxIdleBytes) members += empty_member;
  EXPECT_EQ(decode({encode(members, Coding::gzip)}, "gzip, gzip"), kBad);
}

TEST(Decoder, DoesNotGiveUpOnWhatIsPushedOctetByOctet) {
  std::string content;
  std::string pushed;
  while (pushed.size() < 2 * kMaxIdleBytes) {
    content += 'x';
    pushed += "\0\1\0\xfe\xffx\0\0\0\xff\xff"sv;  // a block of it, and an empty one
  }
  pushed += "\1\0\0\xff\xff"sv;
  EXPECT_EQ(decode({encode(pushed, Coding::gzip)}, "deflate, gzip").data, content);
}

TEST(Decoder, BoundsTheWindowOfZstd) {
  const auto frame = [](unsigned window_log) { return zstd_head(window_log) + zstd_run(256, 'a', true); };
  EXPECT_EQ(decode({frame(23)}, "zstd").data, std::string(256, 'a'));
  // Also where it says that there are 256 octets, which have room.
  const std::string sized = "\x28\xb5\x2f\xfd\x40\x70\0\0"s + zstd_run(256, 'a', true);
  for (const std::string& octets : {frame(24), frame(27), frame(31), sized}) {
    EXPECT_EQ(decode({octets}, "zstd"), kBad);
    EXPECT_EQ(decode(test::one_by_one(octets), "zstd"), kBad);
  }
}

TEST(Decoder, CanBeMoved) {
  const std::string octets = encode(kText, Coding::gzip);
  std::vector<char> room(100);
  Decoder first = *Decoder::from("gzip");
  ASSERT_TRUE(first.next(Bytes(octets).substr(0, 20), room));
  Decoder second = std::move(first);
  const Result<Step> step = second.next(Bytes(octets).substr(20), room);
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->is_complete);
  EXPECT_TRUE(second.finish());
}

}  // namespace
}  // namespace pipette::coding
