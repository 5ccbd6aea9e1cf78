#include "pipette/client/decode.h"

#include <algorithm>
#include <string>
#include <utility>

#include "pipette/base/bytes.h"

namespace pipette::client {
namespace {

constexpr std::size_t kLeastRoomBytes = 4096;

bool says_otherwise(const http::OwnedFields& fields) {
  return fields.contains("Accept-Encoding") || fields.contains("Range");
}

}  // namespace

bool asks_for_codings(const Request& request, const Terms& terms) {
  if (!terms.decompresses || request.method == http::Method::head || says_otherwise(request.fields)) return false;
  return terms.fields == nullptr || !says_otherwise(*terms.fields);
}

std::optional<coding::Decoder> decoder_of(Response& response) {
  std::string codings;
  response.fields.for_each("Content-Encoding", [&codings](std::string_view value) {
    if (!codings.empty()) codings += ", ";
    codings += value;
  });
  if (codings.empty()) return std::nullopt;
  Result<coding::Decoder> decoder = coding::Decoder::from(codings);
  if (!decoder || decoder->is_identity()) return std::nullopt;
  response.fields.remove("Content-Encoding");
  response.fields.remove("Content-Length");
  response.was_decoded = true;
  return std::move(*decoder);
}

Result<void> decode(Response& response, std::uint64_t max_bytes) {
  if (response.body.empty()) return {};
  std::optional<coding::Decoder> decoder = decoder_of(response);
  if (!decoder) return {};
  std::string plain;
  Bytes coded = response.body;
  for (bool has_room = false; !has_room;) {
    const std::size_t before = plain.size();
    const std::size_t room = std::max(kLeastRoomBytes, before);
    plain.resize_and_overwrite(before + room, [size = before + room](char*, std::size_t) { return size; });
    const Result<coding::Step> step = decoder->next(coded, MutableBytes(plain).subspan(before));
    if (!step) return fail(step.error());
    plain.resize(before + step->produced);
    coded.remove_prefix(step->consumed);
    if (plain.size() > max_bytes) return fail(Errc::body_too_large);
    has_room = step->produced < room;
  }
  if (const Result<void> whole = decoder->finish(); !whole) return whole;
  response.body.swap(plain);
  return {};
}

}  // namespace pipette::client
