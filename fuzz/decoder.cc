// Content codings: any split and any room give what the whole gives, what was encoded is decoded to the same, and
// members one behind the other are read as one content.
#include "pipette/coding/decoder.h"

#include <algorithm>
#include <array>
#include <string>

#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/support/coding.h"

namespace pipette::fuzz {
namespace {

constexpr std::size_t kMaxBytes = 1 << 18;
constexpr std::size_t kMaxPieceBytes = 16;

constexpr std::array<std::string_view, 16> kCodings = {
    "gzip",       "deflate",    "br",         "zstd",     "gzip, gzip", "deflate, gzip",     "gzip, deflate",
    "br, gzip",   "zstd, gzip", "gzip, zstd", "gzip, br", "br, zstd",   "deflate, gzip, br", "",
    "zstd, zstd", "br, br",
};

// What was cut may have an error behind it, which little room does not come to.
void require_same(const test::Decoded& a, const test::Decoded& b) {
  if (a.is_cut || b.is_cut) {
    require(a.error || b.error || a.data == b.data);
  } else {
    require(a == b);
  }
}

void require_any_split(std::string_view codings, const Input& input) {
  const test::Decoded whole = test::decode({input.octets}, codings, 16384, kMaxBytes);
  require_same(whole, test::decode(input.pieces, codings, 1000, kMaxBytes));
  if (whole.data.size() > 4096 || input.octets.size() > 256) return;
  require_same(whole, test::decode(input.pieces, codings, 1, kMaxBytes));
  require_same(whole, test::decode(test::one_by_one(input.octets), codings, 7, kMaxBytes));
}

void require_round_trip(const Input& input) {
  const coding::Coding coding = input.choice % 2 == 0 ? coding::Coding::gzip : coding::Coding::deflate;
  coding::Encoder encoder(coding, static_cast<int>(input.choice) % 10);
  std::string octets;
  for (const std::string_view piece : input.pieces) {
    const coding::Then then = piece.size() < kMaxPieceBytes ? coding::Then::flush : coding::Then::go_on;
    octets += test::encode_piece(encoder, piece, then, 1 + input.choice);
  }
  octets += test::encode_piece(encoder, {}, coding::Then::finish);
  require(test::decode({octets}, coding::name_of(coding)).data == input.octets);
  if (coding != coding::Coding::gzip) return;
  const test::Decoded twice = test::decode({octets, octets}, "gzip");
  require(!twice.error && twice.data == std::string(input.octets) + std::string(input.octets));
}

void require_names(std::string_view content_encoding) {
  const Result<coding::Decoder> decoder = coding::Decoder::from(content_encoding);
  if (!decoder) require(decoder.error() == Errc::unknown_content_coding);
  const auto commas = static_cast<std::size_t>(std::ranges::count(content_encoding, ','));
  if (decoder && !decoder->is_identity()) require(content_encoding.size() >= commas + 2);
}

void run(const Input& input) {
  require_any_split(kCodings[input.choice], input);
  require_round_trip(input);
  require_names(input.octets);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
