// Content codings: what a representation went through before it was sent, by the names of Content-Encoding.
//
//   coding_of("GZip") --> Coding::gzip        coding_of("compress") --> nothing
//
// Decoder and Encoder work alike, a step at a time in memory that is the caller's; Step is what one has come to.
//
// Spec      RFC 9110 §8.4.1; RFC 1950-1952 (deflate, gzip), RFC 7932 (br), RFC 8878 and RFC 9659 (zstd).
// Threads   pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pipette::coding {

enum class Coding : std::uint8_t { gzip, deflate, brotli, zstd };

// The value of an Accept-Encoding that asks for what a Decoder decodes, and for nothing else.
inline constexpr std::string_view kAccepted = "gzip, deflate, br, zstd";

std::string_view name_of(Coding coding);
// In any case; "x-gzip" is "gzip". "identity" is none.
std::optional<Coding> coding_of(std::string_view name);

struct Step {
  std::size_t consumed = 0;  // octets of the input that are done with
  std::size_t produced = 0;  // octets of the room that have been written
  bool is_complete = false;
};

}  // namespace pipette::coding
